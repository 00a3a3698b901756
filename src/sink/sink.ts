/** What every destination of a push looks like from the outside. */

import type { Commit, RunMeta } from '../contract/commit.js'
import type { Kind } from '../contract/kinds.js'
import { IngestError } from '../errors.js'
import type { LineBlock } from '../source/lines.js'
import type { VersionSet } from '../contract/version-set.js'
import type { Rejection } from '../source/rejection.js'
import type { Downgrade } from './downgrade.js'
import type { Retry } from './retry.js'
import type { WriteSettings } from './tunables.js'

/** Some rows of one kind in COPY text format, in the columns of `stagingColumns`. */
export type CopyRows = { readonly kind: Kind; readonly rows: number; readonly text: Buffer }

/** A checked file as rows, which databases take. */
export type RowDelivery = {
  readonly commit: Commit
  /** The contract versions that fit every record: it is written as one of them. */
  readonly fits: VersionSet
  /** How many records of each kind will come, by kind name: what the first pass over the file counted. */
  readonly counts: ReadonlyMap<string, number>
  /**
   * The file's rows from its start; asked for again when the delivery is retried. A chunk's memory is used again when
   * the chunk after the next is asked for.
   * @param chunkBytes about how large a chunk is
   */
  readonly rows: (chunkBytes?: number) => AsyncIterable<CopyRows>
  /** Looks once more before anything becomes durable; throws when the file is no longer what was validated. */
  readonly assertUnchanged: () => Promise<void>
}

/** @param got rows that came of a kind @throws {IngestError} `input_changed` when other than were counted */
export function assertCounts({ counts }: RowDelivery, got: (kind: string) => number): void {
  for (const [kind, expected] of counts) {
    if (got(kind) === expected) continue
    const message = `the input changed while it was read: ${expected} ${kind} records, then ${got(kind)}`
    throw new IngestError('input_changed', message)
  }
}

/** One checked file on its way to its targets, each of which reads it by itself. */
export type Delivery = RowDelivery & {
  /** What messages call the file. */
  readonly source: string
  readonly run: RunMeta
  /** Whether a target of an older contract version may be given what it can hold of the delivery. Default: no. */
  readonly mayDowngrade?: boolean
  /** The file's lines from its start, as they came in. */
  readonly lines: () => AsyncIterable<LineBlock>
  /** Where one of the lines is in its file; by default they are all of `source`. */
  readonly locateLine?: (line: number, byte: number) => Promise<LineLocation>
  /** Which part of the outbox it is: the same when it is delivered again. */
  readonly range?: { readonly since: number; readonly until: number }
}

/** A line of a file, counted from 1, and the byte that it begins at, where that is known. */
export type LineLocation = { readonly source: string; readonly line: number; readonly byte: number | undefined }

export async function lineLocation(
  { source, locateLine }: Delivery,
  line: number,
  byte: number,
): Promise<LineLocation> {
  return locateLine === undefined ? { source, line, byte } : locateLine(line, byte)
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

/** What a sink answers for one file: records, inserted, updated. */
export type Receipt = {
  readonly records: number
  readonly inserted: number
  readonly updated: number
  /** By kind, from targets that say it. */
  readonly kinds: readonly KindReceipt[]
  /** Parts that became durable one after the other: transactions or envelopes. */
  readonly chunks: number
  /** The part that the target could not hold; absent where it holds everything. */
  readonly downgrade?: Downgrade | undefined
}

/** The receipt of one transaction. */
export function sumReceipt(kinds: readonly KindReceipt[], downgrade?: Downgrade): Receipt {
  const sum = (key: 'records' | 'inserted' | 'updated'): number => kinds.reduce((all, kind) => all + kind[key], 0)
  return { records: sum('records'), inserted: sum('inserted'), updated: sum('updated'), kinds, chunks: 1, downgrade }
}

/** The failure of a file of which some chunks are durable all the same. */
export class PartialDeliveryError extends IngestError {
  constructor(
    { code, hint = 'run the same push again: what has landed is only updated', cause }: IngestError,
    message: string,
    readonly receipt: Receipt,
  ) {
    super(code, message, { cause, hint })
  }
}

export interface Sink {
  /**
   * All of a file or nothing, but for a file in several chunks: each of those stands or falls alone.
   * @param settings how; default: what the sink was opened with
   * @throws {PartialDeliveryError} when some of them stand
   */
  write(delivery: Delivery, onRetry: (retry: Retry) => void, settings?: WriteSettings): Promise<Receipt>
  close(): Promise<void>
}

/** How a push gets at its sink. */
export type SinkOpener = {
  /** What state calls the target: its sort and place, without users or secrets, the same every time. */
  readonly id: string
  /** The target in words, without secrets. */
  readonly description: string
  /** Opening waits more than it works, so it may overlap with checking the input. */
  readonly opensEarly: boolean
  /** A delivery's rows, not its lines, are what it writes. */
  readonly readsRows?: true
  /** Every delivery stays as it is: one that arrives late does not write over a later one. */
  readonly isAppendOnly?: true
  /** Records that are valid but that a target of this sort cannot take; asked before anything is sent to any target. */
  readonly refuses?: (delivery: Delivery) => AsyncIterable<Rejection>
  /** @param signal gives the opening up, and what the sink does later */
  readonly open: (signal: AbortSignal) => Promise<Sink>
}
