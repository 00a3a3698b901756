/** A delivery, which is a validated file or a part of the outbox on its way to a target, and the receipt that answers it. */

import type { MeasuredCommit } from '../contract/ancestry.js'
import type { RunMeta } from '../contract/commit.js'
import type { DeliveryOrigin } from '../contract/delivery-origin.js'
import type { Generation } from '../contract/generation.js'
import type { Kind } from '../contract/kinds.js'
import type { PiiMode } from '../contract/pii-mode.js'
import type { VersionSet } from '../contract/version-set.js'
import { IngestError } from '../errors.js'
import type { Downgrade } from './downgrade.js'
import type { LineBlock } from './lines.js'

/** Rows of one record kind in COPY text format, with the columns of `stagingColumns`. */
export type CopyRows = { readonly kind: Kind; readonly rows: number; readonly text: Buffer }

/** A validated file as rows, for targets that are databases. */
export type RowDelivery = {
  readonly commit: MeasuredCommit
  /** The contract versions that every record fits. The delivery is written as one of them. */
  readonly fits: VersionSet
  /** The number of records of each kind, by kind name, as counted by the first pass over the file. */
  readonly counts: ReadonlyMap<string, number>
  /**
   * Reads the file's rows from its start. Called again when the delivery is retried. The memory of a chunk is reused as soon
   * as the second chunk after it is requested.
   * @param chunkBytes approximate size of a chunk
   */
  readonly rows: (chunkBytes?: number) => AsyncIterable<CopyRows>
  /**
   * Called before anything becomes durable. Throws when the delivery must not be stored any more: its file has changed
   * since it was validated, or another process has taken over the lease.
   */
  readonly assertMayCommit: () => Promise<void>
  /** Undefined for a rehearsal. It is rolled back, so it needs no order. */
  readonly order?: DeliveryOrder | undefined
  /** Where the records come from, as far as it is known. Targets with the schema `vortex_ingest` store it. */
  readonly origin?: DeliveryOrigin | undefined
}

/** The place of a delivery among all deliveries of its commit. Targets with the schema `vortex_ingest` enforce it. */
export type DeliveryOrder = {
  /** The same for every attempt of a delivery, and different for every other delivery. */
  readonly deliveryId: string
  /** Undefined for a delivery that counts as newer than all that were applied before it. */
  readonly generation: Generation | undefined
  /** The lease of a delivery from the outbox. */
  readonly fence?: Fence | undefined
}

/** Lets a target refuse a process that lost its lease: the fencing token, and the watermark that the target records. */
export type Fence = {
  /** Random id of the watermark. It differs between states, so that a target can keep one watermark per state. */
  readonly watermarkId: string
  readonly targetId: string
  readonly partition: string
  /** The fencing token: a target refuses a delivery with a lower token than one that it has applied. */
  readonly token: number
  /** The sequence number that the watermark moves to. */
  readonly until: number
}

/**
 * Compares the rows that were read with the counts of the first pass.
 * @param countOf returns the number of rows read of a kind, by kind name
 * @throws {IngestError} `input_changed` when the numbers differ
 */
export function assertCounts({ counts }: RowDelivery, countOf: (kind: string) => number): void {
  for (const [kind, expected] of counts) {
    if (countOf(kind) === expected) continue
    const message = `the input changed while it was read: ${expected} ${kind} records, then ${countOf(kind)}`
    throw new IngestError('input_changed', message)
  }
}

/** A validated file, or a part of the outbox, to be delivered. Each target reads it independently. */
export type Delivery = RowDelivery & {
  /** The name of the file in messages. */
  readonly source: string
  readonly run: RunMeta
  /** Whether fields and records that a target of an older contract version cannot hold may be left out. Default: false. */
  readonly mayDowngrade?: boolean
  /** Reads the file's original lines from its start. */
  readonly lines: () => AsyncIterable<LineBlock>
  /** Finds the original file, line and byte of a line of this delivery. By default every line is from `source`. */
  readonly locateLine?: (line: number, byte: number) => Promise<LineLocation>
  /** The sequence numbers of a delivery from the outbox. A retry repeats exactly the same range. */
  readonly range?: { readonly since: number; readonly until: number }
  /** The way in which personal data was treated before the records were enqueued. Default: `keep`. */
  readonly pii?: PiiMode | undefined
}

/** A part of the outbox to be delivered. */
export type OutboxDelivery = Delivery & { readonly range: NonNullable<Delivery['range']> }

/** A line of a file, counted from 1. `byte` is the offset of the line's first byte, if known. */
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
  /** Records whose measurement id was already stored or occurred earlier in the same file. */
  readonly updated: number
  /** The part of `updated` whose stored row was not rewritten: it is identical, or a newer delivery wrote it (`superseded`). */
  readonly unchanged: number
  /** The part of `unchanged` whose stored row has other values, which a newer delivery wrote. Default: 0. */
  readonly superseded?: number
}

/** A sink's answer to one delivery. */
export type Receipt = {
  readonly records: number
  readonly inserted: number
  readonly updated: number
  /** The same counts for each kind. Empty for targets that do not report them. */
  readonly kinds: readonly KindReceipt[]
  /** Number of transactions or envelopes that the delivery was split into. Each became durable separately. */
  readonly chunks: number
  /** Fields and records that the target cannot hold and that were left out. Undefined when nothing was. */
  readonly downgrade?: Downgrade | undefined
  /** Number of records that were left out because a newer delivery wrote other values. Default: 0. */
  readonly superseded?: number | undefined
  /** Whether the target orders deliveries, so that none can replace newer values. Undefined for a target that replaces nothing. */
  readonly isOrdered?: boolean | undefined
  /** Whether the target stores where the records come from. Undefined for a target that does not say. */
  readonly hasOrigin?: boolean | undefined
  /** The way in which personal data was treated before the target got the records. Default: `keep`. */
  readonly pii?: PiiMode | undefined
}

/** Adds up the counts of all kinds into the receipt of one transaction. */
export function sumReceipt(kinds: readonly KindReceipt[], downgrade?: Downgrade): Receipt {
  const sum = (key: 'records' | 'inserted' | 'updated' | 'superseded'): number =>
    kinds.reduce((total, kind) => total + (kind[key] ?? 0), 0)
  const counts = { records: sum('records'), inserted: sum('inserted'), updated: sum('updated') }
  return { ...counts, kinds, chunks: 1, downgrade, ...supersededCount(sum('superseded')) }
}

/** The member `superseded` of a receipt, which is left out when nothing was superseded. */
export function supersededCount(superseded: number): { readonly superseded?: number } {
  return superseded === 0 ? {} : { superseded }
}

/** The result of one transaction. */
export type TransactionReceipt = {
  readonly kinds: readonly KindReceipt[]
  /** Whether the database has the schema `vortex_ingest`, and so orders deliveries. */
  readonly isOrdered: boolean
  /** Whether the database stores where the records come from. */
  readonly hasOrigin: boolean
}

/** The failure of a delivery after some of its chunks had become durable. `receipt` counts those chunks. */
export class PartialDeliveryError extends IngestError {
  constructor(
    { code, hint = 'run the same push again: records that were delivered are only updated', cause }: IngestError,
    message: string,
    readonly receipt: Receipt,
  ) {
    super(code, message, { cause, hint })
  }
}
