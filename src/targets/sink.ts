/** The interface of every target: how it is opened, and what an open sink does. */

import type { Retry } from '../http/retry.js'
import type { WriteSettings } from '../database/tunables.js'
import type { PiiFilter } from '../pii/pii-filter.js'
import type { Delivery, Receipt } from '../source/delivery.js'
import type { Rejection } from '../source/rejection.js'

/** @typeParam Accepted the deliveries that the sink writes. One that writes only `OutboxDelivery` has `needsOutbox`. */
export interface Sink<Accepted extends Delivery = Delivery> {
  /**
   * Writes a delivery completely or not at all. A delivery that needs several chunks is atomic per chunk.
   * @param settings how to write. Default: the settings that the sink was opened with
   * @throws {PartialDeliveryError} when a chunk fails after others became durable
   */
  write(delivery: Accepted, onRetry: (retry: Retry) => void, settings?: WriteSettings): Promise<Receipt>
  close(): Promise<void>
}

/** A target that can be opened: its id, its properties, and the function that connects to it. */
export type SinkOpener = {
  /** The stable target id: kind and address without users or secrets. It is the key of the target's watermarks. */
  readonly id: string
  /** The target as named in messages, without secrets. */
  readonly description: string
  /** Whether to open the target while the input is still being validated, because opening mostly waits for the network. */
  readonly opensEarly: boolean
  /** Whether the sink reads a delivery's rows. Other sinks read its lines. */
  readonly readsRows?: true
  /** Whether the sink stores only ranges of an outbox, so that a push without state must not use it. */
  readonly needsOutbox?: true
  /** Whether deliveries are only ever added. A late delivery then cannot overwrite a newer one. */
  readonly isAppendOnly?: true
  /** Masks or drops personal data before the target gets it. Absent for a target that gets it unchanged. */
  readonly pii?: PiiFilter
  /**
   * Finds valid records that this target cannot accept, such as records that exceed its size limit. Called before anything is
   * sent to any target.
   */
  readonly refuses?: (delivery: Delivery) => AsyncIterable<Rejection>
  /** @param signal aborts the connection attempt and, later, the sink's work */
  readonly open: (signal: AbortSignal) => Promise<Sink>
}
