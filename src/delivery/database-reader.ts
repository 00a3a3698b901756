/** Reads stored commits and their measurements from a database. `server-reader.ts` does the same through a server. */

import { wasmHash64 } from '../contract/hash64.js'
import { readStoredFirstParents } from '../database/queries/first-parents.js'
import { readMainLine } from '../database/queries/main-line.js'
import { readCommitRows } from '../database/queries/commit-rows.js'
import { readStoredCommits, toStoredCommit } from '../database/queries/commits.js'
import { readSeriesHistory } from '../database/queries/series-history.js'
import type { SqlSession } from '../database/session.js'
import type { CommitReader } from './commit-reader.js'
import { commitFinder } from './find-commit.js'
import { toSeriesValues } from './series-values.js'

export type OpenDatabase = {
  readonly session: SqlSession
  /** The database in words, without secrets. */
  readonly description: string
  readonly close: () => Promise<void>
}

/** @param options.timeoutMs statement timeout in the database. Default: the session's own */
export function databaseReader(
  { session, description, close }: OpenDatabase,
  { timeoutMs }: { readonly timeoutMs?: number } = {},
): CommitReader {
  const finder = commitFinder(async filter => (await readStoredCommits(session, filter)).map(toStoredCommit))
  return {
    ...finder,
    description,
    rows: async (base, head) => readCommitRows(session, { base, head }, { hash: await wasmHash64(), timeoutMs }),
    mainHead: async () => (await readMainLine(session)).stored[0],
    firstParents: (sha, limit) => readStoredFirstParents(session, sha, limit),
    async history(shas) {
      const { parts } = await readSeriesHistory(session, shas, { hash: await wasmHash64(), timeoutMs })
      return toSeriesValues(parts, shas.length)
    },
    close,
  }
}
