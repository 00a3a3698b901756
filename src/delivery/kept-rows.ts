/**
 * Keeps the rows of small inputs from the validation pass in memory, so that delivery need not parse the input again.
 */

import type { Hash64 } from '../contract/hash64.js'
import { CopyRowsCollector } from '../database/copy-text.js'
import type { CopyRows } from '../source/delivery.js'
import { createIdentifier } from '../source/identify.js'
import type { RecordBatch } from '../source/record-batch.js'
import type { Target } from './opening.js'

/** Memory limit for all sources together: about 27,000 rows. */
const MOST_BYTES = 4 * 1024 * 1024

/**
 * Rows in memory, by key, up to a limit in bytes.
 * @typeParam Key identifies a source or a batch of the outbox
 */
export class KeptRows<Key> {
  readonly #identify: (batch: RecordBatch) => void
  readonly #kept = new Map<Key, CopyRowsCollector>()
  #bytesBefore = 0
  #isFull = false

  constructor(
    hash: Hash64,
    private readonly mostBytes = MOST_BYTES,
  ) {
    this.#identify = createIdentifier(hash)
  }

  /**
   * Adds a batch.
   * @param key all batches of a key must be added before those of the next key
   */
  add(key: Key, batch: RecordBatch): void {
    if (this.#isFull) return
    const kept = this.#kept.get(key) ?? this.#begin(key)
    this.#identify(batch)
    kept.add(batch)
    if (this.#bytesBefore + kept.bytes <= this.mostBytes) return
    this.#isFull = true
    this.#kept.delete(key)
  }

  /** As often as they are asked for. @returns undefined when some were not kept, or a chunk would be too large */
  of(keys: readonly Key[], chunkBytes = Infinity): AsyncIterable<CopyRows> | undefined {
    const chunks: CopyRows[] = []
    for (const key of keys) {
      const kept = this.#kept.get(key)
      if (kept === undefined) return undefined
      chunks.push(...kept.chunks)
    }
    return chunks.every(({ text }) => text.length <= chunkBytes) ? inTurn(chunks) : undefined
  }

  #begin(key: Key): CopyRowsCollector {
    this.#bytesBefore = [...this.#kept.values()].reduce((sum, { bytes }) => sum + bytes, 0)
    const kept = new CopyRowsCollector()
    this.#kept.set(key, kept)
    return kept
  }
}

/** @returns undefined when no target takes rows */
export function keptFor<Key>(targets: readonly Target[], hash: Hash64): KeptRows<Key> | undefined {
  return targets.some(({ opener }) => opener.readsRows === true) ? new KeptRows(hash) : undefined
}

async function* inTurn(chunks: readonly CopyRows[]): AsyncGenerator<CopyRows> {
  yield* chunks
}
