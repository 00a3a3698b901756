/** Reads all records and commits of a database of any kind, in one snapshot. */

import type { Commit } from '../contract/commit.js'
import type { Kind } from '../contract/kinds.js'
import type { StoredRow } from './queries/rows.js'

/** All pages are ordered by the bytes of the commit id, and the records of a commit by their measurement id. */
export interface RecordReader {
  /** @param afterCommit continues after this commit id. Default: from the start */
  commits(afterCommit?: string): AsyncIterable<readonly Commit[]>
  /** The columns of a record as the text that Postgres would return. A record may lack columns that its table lacks. */
  records(kind: Kind, afterCommit?: string): AsyncIterable<readonly StoredRow[]>
  /** The number of records of a kind; undefined when counting would cost as much as reading. */
  count(kind: Kind): Promise<number | undefined>
}

export type ReaderFilter = {
  /** RFC 3339. Only records of commits of this time or later. */
  readonly since?: string | undefined
  /** RFC 3339. Only records of commits before this time. */
  readonly until?: string | undefined
}
