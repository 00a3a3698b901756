/**
 * Keeps the rows of small inputs from the validation pass in memory, so that delivery need not parse the input again.
 */

import type { Hash64 } from '../contract/hash64.js'
import { CopyRowsCollector } from '../database/copy-text.js'
import type { CopyRows } from '../source/delivery.js'
import { createIdentifier } from '../source/identify.js'
import type { RecordBatch } from '../source/record-batch.js'
import type { Target } from './target.js'

/** Memory limit for all sources together: about 27,000 rows. */
const MAX_BYTES = 4 * 1024 * 1024

/**
 * Rows in memory, by key, up to a limit in bytes.
 * @typeParam Key identifies a source or a batch of the outbox
 */
export class RowCache<Key> {
  readonly #identify: (batch: RecordBatch) => void
  readonly #collectors = new Map<Key, CopyRowsCollector>()
  #bytesBefore = 0
  #isFull = false

  constructor(
    hash: Hash64,
    private readonly mostBytes = MAX_BYTES,
  ) {
    this.#identify = createIdentifier(hash)
  }

  /**
   * Adds a batch.
   * @param key all batches of a key must be added before those of the next key
   */
  add(key: Key, batch: RecordBatch): void {
    if (this.#isFull) return
    const collector = this.#collectors.get(key) ?? this.#begin(key)
    this.#identify(batch)
    collector.add(batch)
    if (this.#bytesBefore + collector.bytes <= this.mostBytes) return
    this.#isFull = true
    this.#collectors.delete(key)
  }

  /** The rows of some keys, as often as they are asked for. @returns undefined when the rows of a key are not in memory, or a chunk would be too large */
  rows(keys: readonly Key[], chunkBytes = Infinity): AsyncIterable<CopyRows> | undefined {
    const chunks: CopyRows[] = []
    for (const key of keys) {
      const collector = this.#collectors.get(key)
      if (collector === undefined) return undefined
      chunks.push(...collector.chunks)
    }
    return chunks.every(({ text }) => text.length <= chunkBytes) ? inTurn(chunks) : undefined
  }

  #begin(key: Key): CopyRowsCollector {
    this.#bytesBefore = [...this.#collectors.values()].reduce((sum, { bytes }) => sum + bytes, 0)
    const collector = new CopyRowsCollector()
    this.#collectors.set(key, collector)
    return collector
  }
}

/** @returns undefined when no target takes rows */
export function rowCacheFor<Key>(targets: readonly Target[], hash: Hash64): RowCache<Key> | undefined {
  return targets.some(({ opener }) => opener.readsRows === true) ? new RowCache(hash) : undefined
}

async function* inTurn(chunks: readonly CopyRows[]): AsyncGenerator<CopyRows> {
  yield* chunks
}
