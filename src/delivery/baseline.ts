/** Chooses the commits of a comparison: its head, its base, and the commits before the base that show the usual noise. */

import { readFirstParents, readMergeBases } from '../commit/ancestry.js'
import { findMainBranch } from '../commit/main-branch.js'
import { lookUpCommit } from '../commit/git.js'
import { IngestError } from '../errors.js'
import type { CommitReader, LookUp, FirstParentHistory, StoredCommit } from './commit-reader.js'
import { readFirstParentHistory, type HistoryOptions } from './first-parent-history.js'

export type CommitChoice = {
  /** The base by name: an id, a prefix of at least four digits, or a name that git resolves. */
  readonly base?: string | undefined
  /**
   * How the base is found without a name. `parent`: the nearest stored ancestor of the head. `merge-base`: the nearest stored
   * ancestor that the main branch has too. `latest`: the newest stored commit of the main branch. Default: `parent`.
   */
  readonly baseline?: string | undefined
  /** The head by name. Default: the newest stored commit of the history of HEAD. */
  readonly head?: string | undefined
  /** Full id of the head of the pull request that is judged. Default: there is none, and HEAD is that of git. */
  readonly pullHead?: string | undefined
}

export type ChosenCommits = {
  readonly base: StoredCommit
  readonly head: StoredCommit
  /** Full ids of stored commits, from the base on along its first-parent history, newest first. */
  readonly history: readonly string[]
  /** Sentences about how the commits were found, where that is not obvious. */
  readonly remarks: readonly string[]
}

/** Number of commits in `history`. Older ones say little about today's noise. */
const HISTORY_COMMITS = 30

/** Number of commits per lookup. */
const PAGE = 200

/**
 * @throws {IngestError} `commit_unknown` when a commit is not stored or no base is found; `usage` when base and head are the same
 */
export async function chooseCommits(
  reader: CommitReader,
  choice: CommitChoice,
  options: HistoryOptions,
): Promise<ChosenCommits> {
  return new CommitChooser(reader, options).choose(choice)
}

class CommitChooser {
  readonly #remarks = new Set<string>()
  /** The histories that were read to find the commits. */
  readonly #histories: FirstParentHistory[] = []
  readonly #lookUp: LookUp = name => lookUpCommit(name, this.options.git)

  constructor(
    private readonly reader: CommitReader,
    private readonly options: HistoryOptions,
  ) {}

  async choose({
    base: baseName,
    baseline = 'parent',
    head: headName,
    pullHead,
  }: CommitChoice): Promise<ChosenCommits> {
    const named = baseName ?? (isBaselineWord(baseline) ? undefined : baseline)
    const base = named === undefined ? undefined : await this.reader.find(named, this.#lookUp)
    const head =
      headName === undefined ? await this.#newestOfHead(pullHead) : await this.reader.find(headName, this.#lookUp)
    if (base?.sha === head.sha) throw sameCommitError(head, headName)
    const chosen = base ?? (await this.#findBase(head, baseline as Baseline))
    if (chosen === undefined) throw this.#noBaseError(head, baseline)
    const history = await this.#stored(await this.#historyBefore(chosen.sha), HISTORY_COMMITS)
    return { base: chosen, head, history: history.map(({ sha }) => sha), remarks: [...this.#remarks] }
  }

  /** The newest stored commit of the history of HEAD. Without one, the newest stored commit of all. */
  async #newestOfHead(pullHead: string | undefined): Promise<StoredCommit> {
    const head = pullHead ?? (await this.#lookUp('HEAD'))
    if (head !== undefined) {
      const [found] = await this.#stored(await this.#readHistory(head), 1)
      if (pullHead !== undefined && found?.sha !== pullHead) await this.#assertOfPullRequest(found, pullHead)
      if (found !== undefined) return found
    }
    const [newest] = await this.reader.newest(1)
    if (newest === undefined)
      throw new IngestError('commit_unknown', 'no commit is stored', { hint: 'store one with `vortex-ingest push`' })
    if (head !== undefined)
      this.#remarks.add('no commit of the history of HEAD is stored, so HEAD is the newest stored commit')
    return newest
  }

  /** The commits before a pull request say nothing about it, so one of its own must be stored. */
  async #assertOfPullRequest(found: StoredCommit | undefined, head: string): Promise<void> {
    const { git } = this.options
    const main = await findMainBranch(head, git)
    if (found !== undefined && main !== undefined) {
      const isIn = async (other: string): Promise<boolean> =>
        (await readMergeBases(found.sha, other, git)).includes(found.sha)
      if ((await isIn(head)) && !(await isIn(main))) {
        this.#remarks.add(
          `the head of the pull request, ${head.slice(0, 7)}, is not stored: an earlier commit is judged`,
        )
        return
      }
    }
    const hint = 'push its measurements before `compare`, or name HEAD'
    throw new IngestError('commit_unknown', `no commit of the pull request with the head ${head} is stored`, { hint })
  }

  async #findBase({ sha: head }: StoredCommit, baseline: Baseline): Promise<StoredCommit | undefined> {
    const from = await this.#start(head, baseline)
    const nearest = await this.#stored(await this.#readHistory(from), 2)
    return nearest.find(({ sha }) => sha !== head)
  }

  /** The commit from which on a base is looked for. */
  async #start(head: string, baseline: Baseline): Promise<string> {
    if (baseline === 'parent') return head
    const main = await findMainBranch(head, this.options.git)
    if (main === undefined) {
      const hint = 'fetch the branch, such as `git fetch origin main`, or name a commit: --baseline SHA'
      throw new IngestError('commit_unknown', `git knows no main branch for --baseline ${baseline}`, { hint })
    }
    return baseline === 'latest' ? main : this.#mergeBase(head, main)
  }

  async #mergeBase(head: string, main: string): Promise<string> {
    const { git } = this.options
    const bases = await readMergeBases(head, main, git)
    if (bases.length === 1) return bases[0]!
    const mainShas = bases.length > 1 ? (await readFirstParents(main, git, MAX_COMMITS))?.shas : undefined
    if (bases.length > 1) return mainShas?.find(sha => bases.includes(sha)) ?? bases[0]!
    const known = new Set((await this.#readHistory(main)).shas)
    const common = (await this.#readHistory(head)).shas.find(sha => known.has(sha))
    if (common !== undefined) return common
    const hint = 'run `git fetch --unshallow`, or name a commit: --baseline SHA'
    throw new IngestError('commit_unknown', `git knows no common ancestor of ${head} and ${main}`, { hint })
  }

  async #readHistory(sha: string): Promise<FirstParentHistory> {
    const history = this.#knownHistory(sha) ?? (await readFirstParentHistory(sha, this.reader, this.options))
    if (history.note !== undefined) this.#remarks.add(history.note)
    this.#histories.push(history)
    return history
  }

  /** The history of the base only shows the usual noise, which is not worth a request to the hosting service. */
  async #historyBefore(base: string): Promise<FirstParentHistory> {
    return this.#knownHistory(base) ?? readFirstParentHistory(base, this.reader, { git: this.options.git })
  }

  /** The end of a history that was read already. Where it goes by time, the parents of its commits may still be known. */
  #knownHistory(sha: string): FirstParentHistory | undefined {
    const known = this.#histories.find(
      ({ shas, source }) => shas[0] === sha || (source !== 'time' && shas.includes(sha)),
    )
    return known && { ...known, shas: known.shas.slice(known.shas.indexOf(sha)) }
  }

  /** The first stored commits of a history. */
  async #stored({ shas }: FirstParentHistory, most: number): Promise<readonly StoredCommit[]> {
    const found: StoredCommit[] = []
    for (let from = 0; from < shas.length && found.length < most; from += PAGE)
      found.push(...(await this.reader.stored(shas.slice(from, from + PAGE))))
    return found.slice(0, most)
  }

  #noBaseError({ sha }: StoredCommit, baseline: string): IngestError {
    const why = [...this.#remarks].map(remark => ` (${remark})`).join('')
    const message = `${NOT_STORED[baseline as Baseline](sha)}${why}`
    return new NoBaseError('commit_unknown', message, { hint: 'name the base: its id, or --baseline SHA' })
  }
}

/** No commit is stored that could be the base. */
export class NoBaseError extends IngestError {}

/** Number of commits of the main branch among which a merge base is looked for. */
const MAX_COMMITS = 100_000

type Baseline = 'parent' | 'merge-base' | 'latest'

/** Why there is no base. */
const NOT_STORED: Readonly<Record<Baseline, (head: string) => string>> = {
  parent: head => `no ancestor of ${head} is stored`,
  'merge-base': head => `no common ancestor of ${head} and the main branch is stored`,
  latest: head => `the main branch has no stored commit other than ${head}`,
}

function isBaselineWord(text: string): text is Baseline {
  return ['parent', 'merge-base', 'latest'].includes(text)
}

function sameCommitError({ sha }: StoredCommit, headName: string | undefined): IngestError {
  const which = headName === undefined ? `${sha} is itself the newest stored commit` : `both are ${sha}`
  const hint = 'name two different commits: vortex-ingest compare BASE HEAD'
  return new IngestError('usage', `nothing to compare: ${which}`, { hint })
}
