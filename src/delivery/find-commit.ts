/** Finds stored commits by the names that a user typed, in a database or through a server. */

import { quote } from '../contract/problem.js'
import type { CommitFilter, StoredCommit } from '../database/queries/commits.js'
import { IngestError } from '../errors.js'
import type { CommitReader, LookUp } from './commit-reader.js'

/** Lists stored commits, the newest first. */
export type ListCommits = (filter: CommitFilter) => Promise<readonly StoredCommit[]>

/** The methods of a reader that follow from a list of commits. */
export function commitFinder(list: ListCommits): Pick<CommitReader, 'find' | 'newest' | 'stored'> {
  return {
    find: (name, lookUp) => findCommit(list, name, lookUp),
    newest: limit => list({ newest: limit }),
    async stored(shas) {
      const found = new Map((await list({ shas })).map(commit => [commit.sha, commit]))
      return shas.flatMap(sha => found.get(sha) ?? [])
    },
  }
}

async function findCommit(list: ListCommits, name: string, lookUp: LookUp): Promise<StoredCommit> {
  const prefix = name.toLowerCase()
  if (/^[0-9a-f]{4,40}$/.test(prefix)) {
    const [found, ...others] = await list({ prefix, most: 3 })
    if (found !== undefined && others.length === 0) return found
    if (found !== undefined) throw ambiguous(name, [found, ...others])
  }
  const sha = await lookUp(name)
  const [found] = sha === undefined ? [] : await list({ shas: [sha] })
  if (found !== undefined) return found
  const what = sha === undefined ? quote(name) : `${quote(name)}, which is ${sha}`
  throw new IngestError('commit_unknown', `no commit is stored for ${what}`, { hint: await newestHint(list) })
}

function ambiguous(name: string, commits: readonly StoredCommit[]): IngestError {
  const shas = commits.map(({ sha }) => sha).join(', ')
  return new IngestError('usage', `${name} is ambiguous, several stored commits begin with it: ${shas}`, {
    hint: 'give more digits of the commit id',
  })
}

async function newestHint(list: ListCommits): Promise<string> {
  const newest = await list({ newest: 3 })
  if (newest.length === 0) return 'nothing is stored there; `vortex-ingest push …` stores some'
  const shown = newest.map(({ sha, subject }) => `${sha.slice(0, 7)} ${quote(subject)}`).join(', ')
  return `the newest stored commits: ${shown}`
}
