/** `changes`: finds the commits at which measurements changed for good. */

import { matchesPattern } from '../analysis/accepted-change.js'
import { seriesDimensions } from '../analysis/series.js'
import type { Environment } from '../commit/ci.js'
import { assertRepository, lookUpCommit } from '../commit/git.js'
import { quote } from '../contract/problem.js'
import { groupFields } from '../database/queries/groups.js'
import { IngestError } from '../errors.js'
import { OldServerError, type AcceptedChangeStore } from './accepted-changes.js'
import { analyseHistory, type HistoryAnalysisOptions } from './analyse-history.js'
import type { CommitReader, FirstParentHistory, ReadableCommits, SeriesValues, StoredCommit } from './commit-reader.js'
import { groupByCommit, type AnalysedHistory, type CommitChanges } from './found-changes.js'
import { withAncestryCache } from './ancestry-cache.js'
import { readFirstParentHistory, type AskHosting } from './first-parent-history.js'

export type ChangesOptions = {
  /** The database or server that holds the measurements. */
  readonly target: ReadableCommits
  /** The newest commit of the history, which is stored. Default: HEAD, otherwise the newest stored commit. */
  readonly head?: string | undefined
  /** Leaves out changes at this commit and before. The whole history is still analysed. */
  readonly since?: string | undefined
  /** Analyses only groups whose name has these words, such as `tpch 10 nvme`; `*` stands for any characters. */
  readonly group?: string | undefined
  /** The smallest ratio of two levels that counts as a change; must exceed 1. Default: 1.02. */
  readonly threshold?: number | undefined
  /** The store of accepted changes. Default: none, so every change is new. */
  readonly accepted?: Pick<AcceptedChangeStore, 'list'> | undefined
  /** Asks the service that hosts the repository for the history, where git does not have all of it. Default: it is not asked. */
  readonly askHosting?: AskHosting | undefined
  /** The repository that knows the history. Default: that of the current folder. */
  readonly gitDir?: string | undefined
  /** The environment of git. Default: `process.env`. */
  readonly env?: Environment | undefined
  /** Stops the analysis. Its reason becomes the error. */
  readonly signal?: AbortSignal | undefined
}

/** The history that was analysed. */
type HistorySummary = Omit<FirstParentHistory, 'shas'> & {
  readonly head: StoredCommit
  /** Number of stored commits in the history. */
  readonly measured: number
  /** Number of commits, stored or not, from the oldest stored commit to the head. */
  readonly commits: number
}

export type ChangesResult = {
  /** The commits with changes, the worst first. */
  readonly commits: readonly CommitChanges[]
  readonly history: HistorySummary
  readonly since: StoredCommit | undefined
  readonly group: string | undefined
  /** Number of series that were analysed. */
  readonly series: number
  readonly threshold: number
  /** The database or server in words, without secrets. */
  readonly target: string
  /** Why no accepted changes are known, and what to do. Undefined when they are known. */
  readonly acceptedProblem: string | undefined
}

const THRESHOLD = 1.02
/** The maximum number of commits that are analysed, from the newest. */
const MAX_MEASURED = 1_000
/** The maximum number of first-parent commits that are searched for stored commits. */
const MAX_COMMITS = 5_000

type Naming = Pick<HistoryAnalysisOptions, 'lookUp' | 'readHistory'>

/**
 * Finds the change points of every series along the first-parent history.
 * @throws {IngestError} `commit_unknown` when no commit is stored or `since` is not in the history; `not_found` for an unknown group
 */
export async function changes(options: ChangesOptions): Promise<ChangesResult> {
  const { target, gitDir, askHosting, env = process.env, signal = new AbortController().signal } = options
  const git = { gitDir, env, signal }
  const historyOptions = { git, askHosting: askHosting && withAncestryCache(askHosting, git), limit: MAX_COMMITS }
  await assertRepository(git)
  const reader = await target.openReader(signal)
  try {
    return await readChanges(reader, options, {
      lookUp: name => lookUpCommit(name, git),
      readHistory: sha => readFirstParentHistory(sha, reader, historyOptions),
    })
  } finally {
    await reader.close()
  }
}

async function readChanges(reader: CommitReader, options: ChangesOptions, naming: Naming): Promise<ChangesResult> {
  const { threshold = THRESHOLD, group, head, signal } = options
  const isChosen = (one: SeriesValues): boolean => group === undefined || isInGroup(one, group)
  const choice = { head, threshold, isChosen, maxMeasured: MAX_MEASURED }
  const analysis = await analyseHistory(reader, { ...choice, ...naming })
  if (analysis === undefined)
    throw new IngestError('commit_unknown', 'no commit is stored', { hint: '`vortex-ingest push …` stores some' })
  const { history, stored, series, points } = analysis
  if (group !== undefined && series.length === 0) throw unknownGroup(group, reader)
  const since = options.since === undefined ? undefined : await reader.find(options.since, naming.lookUp)
  const first = since === undefined ? 0 : indexAfter(stored, since)
  signal?.throwIfAborted()
  const { accepted, acceptedProblem } = await readAccepted(options.accepted)
  const { shas, ...rest } = history
  const known = { shas, stored, series, accepted }
  return {
    commits: groupByCommit(
      points.filter(({ commit }) => commit >= first),
      known,
    ),
    history: { ...rest, head: stored.at(-1)!, measured: stored.length, commits: shas.indexOf(stored[0]!.sha) + 1 },
    ...{ since, group, series: series.length, threshold, target: reader.description, acceptedProblem },
  }
}

type KnownAccepted = Pick<AnalysedHistory, 'accepted'> & Pick<ChangesResult, 'acceptedProblem'>

async function readAccepted(store: ChangesOptions['accepted']): Promise<KnownAccepted> {
  try {
    return { accepted: (await store?.list()) ?? [], acceptedProblem: undefined }
  } catch (error) {
    if (!(error instanceof OldServerError)) throw error
    return { accepted: [], acceptedProblem: `${error.message}: ${error.hint}` }
  }
}

function indexAfter(stored: readonly StoredCommit[], { sha }: StoredCommit): number {
  const index = stored.findIndex(commit => commit.sha === sha)
  if (index !== -1) return index + 1
  throw new IngestError(
    'commit_unknown',
    `${sha} is not among the ${stored.length} newest stored commits of the history`,
    {
      hint: 'give a commit of the first-parent history, or leave --since out',
    },
  )
}

function isInGroup({ kind, dimensions }: SeriesValues, pattern: string): boolean {
  const fields = groupFields(kind).map(({ name }) => name)
  const values = seriesDimensions(kind).flatMap(({ name }, index) =>
    fields.includes(name) ? (dimensions[index] ?? []) : [],
  )
  return matchesPattern([kind.kind, ...values.filter(value => value !== '')].join(' '), pattern)
}

function unknownGroup(group: string, { description }: CommitReader): IngestError {
  const hint = 'name a group as the page does, such as "query_measurement tpch 10 nvme", or some words of it'
  return new IngestError('not_found', `${description} has no group ${quote(group)}`, { hint })
}
