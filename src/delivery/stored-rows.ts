/** Reads stored rows for `verify` from a database. `server-rows.ts` does the same through a server. */

import type { Kind } from '../contract/kinds.js'
import { readableVersion } from '../database/contract-version.js'
import { hasOrdering, readSupersededIds, type CommitGeneration } from '../database/ordering.js'
import { hasCommit } from '../database/queries/commits.js'
import { readCommitIds, readRowsById, type StoredRow } from '../database/queries/rows.js'
import type { SqlSession } from '../database/session.js'

export interface StoredRows {
  /** The contract version of the tables. */
  version(): Promise<number>
  /** Whether a late delivery cannot replace newer values. */
  isOrdered(): Promise<boolean>
  hasCommit(sha: string): Promise<boolean>
  /** The rows that have one of these ids. A row lacks the columns that its table lacks. */
  byId(kind: Kind, ids: readonly string[]): Promise<readonly StoredRow[]>
  /** Those of some ids that a delivery of a newer generation wrote. Empty for a target that does not tell. */
  supersededIds(kind: Kind, ids: readonly string[], than: CommitGeneration): Promise<ReadonlySet<string>>
  /** One page of the ids of a commit's rows, in ascending order, starting after `after`. Empty after the last page. */
  idsOf(kind: Kind, sha: string, after: string | undefined): Promise<readonly string[]>
}

/** A target whose stored rows can be read. */
export type ReadableTarget = {
  /** Connects to the target. The caller closes the rows. */
  readonly openRows: (signal: AbortSignal) => Promise<OpenRows>
}

export type OpenRows = {
  readonly rows: StoredRows
  /** The target in words, without secrets. */
  readonly description: string
  readonly close: () => Promise<void>
}

export function databaseRows(session: SqlSession): StoredRows {
  return {
    version: () => readableVersion(session),
    isOrdered: () => hasOrdering(session),
    hasCommit: sha => hasCommit(session, sha),
    byId: (kind, ids) => readRowsById(session, kind, ids),
    supersededIds: (kind, ids, than) => readSupersededIds(session, kind, { ids, ...than }),
    idsOf: (kind, sha, after) => readCommitIds(session, kind, { sha, after }),
  }
}
