/** What every destination of a push looks like from the outside. */

import type { Commit } from '../contract/commit.js'
import type { Kind } from '../contract/kinds.js'

/** Some rows of one kind in COPY text format, in the columns of `stagingColumns`. */
export type StagedRows = { readonly kind: Kind; readonly rows: number; readonly text: Buffer }

/** One file on its way to one target. */
export type Delivery = {
  readonly commit: Commit
  /** How many records of each kind will come, by kind name: what the first pass over the file counted. */
  readonly counts: ReadonlyMap<string, number>
  /**
   * The file's rows from its start; asked for again when the delivery is retried. A chunk's memory is used again when
   * the chunk after the next is asked for.
   */
  readonly rows: () => AsyncIterable<StagedRows>
  /** Looks once more before anything becomes durable; throws when the file is no longer what was validated. */
  readonly assertUnchanged: () => Promise<void>
}

export type KindReceipt = {
  readonly kind: string
  readonly records: number
  readonly inserted: number
  /** Rows that met an existing id, a second occurrence in the same file included. */
  readonly updated: number
  /** The part of `updated` that was already stored exactly so and was not written again. */
  readonly unchanged: number
}

export type Receipt = { readonly kinds: readonly KindReceipt[]; readonly attempts: number }

export interface Sink {
  /** The target in words, without secrets. */
  readonly description: string
  /** All or nothing. */
  write(delivery: Delivery): Promise<Receipt>
  close(): Promise<void>
}

/** How a push gets at its sink. */
export type SinkOpener = {
  /** Opening waits more than it works, so it may overlap with checking the input. */
  readonly early: boolean
  /** @param signal gives the opening up, and what the sink does later */
  readonly open: (signal: AbortSignal) => Promise<Sink>
}
