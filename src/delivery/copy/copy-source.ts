/** A source of `copy`: a place that holds the history of any number of commits. */

import type { Commit } from '../../contract/commit.js'
import type { Generation } from '../../contract/generation.js'
import type { Kind } from '../../contract/kinds.js'
import type { Source } from '../../source/source.js'

/** The hint for content that breaks the contract. */
export const CORRECT_HINT = 'correct the row at the source; the records of the commits before it are copied'

/**
 * Copied records count as older than every delivery, because the source does not say how old its values are compared with those of
 * the target. So a copy never replaces what a delivery has written to a target that orders deliveries.
 */
export const COPY_GENERATION: Generation = { producedAt: '1970-01-01T00:00:00Z' }

/** The part of a source that is copied. */
export type CopyFilter = {
  /** RFC 3339. Only commits of this time or later. */
  readonly since?: string | undefined
  /** RFC 3339. Only commits before this time. */
  readonly until?: string | undefined
  readonly kinds: readonly Kind[]
}

/** Records of one commit, which are delivered together. */
export type CopyBatch = {
  readonly commit: Commit
  /** The records as lines, which can be read any number of times until they are released. */
  readonly lines: Source
  readonly records: number
  /** The stored measurement id of each line; undefined for a source that stores none. */
  readonly storedIds: BigInt64Array | undefined
  /** Names the place of a line in messages, such as a table and the id of a row. */
  readonly placeOf: (line: number) => string
  /** Where a later copy continues when this batch is delivered; undefined while the rest of the commit is missing. */
  readonly position: string | undefined
}

export interface OpenCopySource {
  /** The number of records, for the progress line; undefined when it is unknown. */
  readonly records: number | undefined
  /** @param after a position of an earlier batch. Default: from the start */
  batches(after?: string): AsyncIterable<CopyBatch>
}

export type CopySource = {
  /** The stable id of the place, without users and secrets. */
  readonly id: string
  /** The place in words, without secrets. */
  readonly description: string
  /** Opens the source for the duration of `work`. Every reading in it returns the same records. */
  readonly read: <T>(filter: CopyFilter, work: (source: OpenCopySource) => Promise<T>) => Promise<T>
}
