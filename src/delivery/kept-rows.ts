/** Rows that the first pass makes of a source as it checks it, where they are so few that they need not be made again. */

import type { Hash64 } from '../contract/hash64.js'
import { KeptChunks } from '../sink/copy-text.js'
import type { StagedRows } from '../sink/sink.js'
import { identifier } from '../source/identify.js'
import type { RecordBatch } from '../source/record-batch.js'
import type { Source } from '../source/source.js'

/** Of all sources together: some 27,000 rows. */
const MOST_BYTES = 4 * 1024 * 1024

export class KeptRows {
  readonly #identify: (batch: RecordBatch) => void
  readonly #kept = new Map<Source, KeptChunks>()
  #bytesBefore = 0
  #isFull = false

  constructor(
    hash: Hash64,
    private readonly mostBytes = MOST_BYTES,
  ) {
    this.#identify = identifier(hash)
  }

  /** @param source comes whole before the next one does */
  add(source: Source, batch: RecordBatch): void {
    if (this.#isFull) return
    const kept = this.#kept.get(source) ?? this.#begin(source)
    this.#identify(batch)
    kept.add(batch)
    if (this.#bytesBefore + kept.bytes <= this.mostBytes) return
    this.#isFull = true
    this.#kept.delete(source)
  }

  /** As often as they are asked for. @returns undefined when the source, or one of its chunks, would be too large */
  of(source: Source, chunkBytes = Infinity): AsyncIterable<StagedRows> | undefined {
    const chunks = this.#kept.get(source)?.chunks
    return chunks?.every(({ text }) => text.length <= chunkBytes) ? inTurn(chunks) : undefined
  }

  #begin(source: Source): KeptChunks {
    this.#bytesBefore = [...this.#kept.values()].reduce((sum, { bytes }) => sum + bytes, 0)
    const kept = new KeptChunks()
    this.#kept.set(source, kept)
    return kept
  }
}

async function* inTurn(chunks: readonly StagedRows[]): AsyncGenerator<StagedRows> {
  yield* chunks
}
