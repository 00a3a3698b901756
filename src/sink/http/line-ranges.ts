/** Parts of a file's lines, one after the other, without reading what lies before them again. */

import type { LineBlock } from '../../source/lines.js'

export type ByteRange = {
  /** Offset of the first byte. */
  readonly start: number
  /** Offset behind the last byte. */
  readonly end: number
}

/** Remembers where the last part ended; a part that starts before that is read from the start of the file. */
export class LineRanges {
  #blocks: AsyncIterator<LineBlock> | undefined
  /** The block that was read last, as far as it may still be needed. */
  #block: LineBlock | undefined

  constructor(private readonly lines: () => AsyncIterable<LineBlock>) {}

  /** The bytes of `range`, in pieces that are valid until the next one is asked for. */
  async *read({ start, end }: ByteRange): AsyncGenerator<Buffer> {
    if (this.#block === undefined || this.#block.firstByte > start) await this.#restart()
    for (; this.#block !== undefined; await this.#next()) {
      const { bytes, firstByte } = this.#block
      if (firstByte >= end) return
      const piece = bytes.subarray(Math.max(0, start - firstByte), end - firstByte)
      if (piece.length > 0) yield piece
      if (firstByte + bytes.length >= end) return
    }
  }

  async close(): Promise<void> {
    this.#block = undefined
    const blocks = this.#blocks
    this.#blocks = undefined
    // Waits for a read that was given up too, so that its block is not taken for one of the next.
    await blocks?.return?.()
  }

  async #restart(): Promise<void> {
    await this.close()
    this.#blocks = this.lines()[Symbol.asyncIterator]()
    await this.#next()
  }

  async #next(): Promise<void> {
    const next = await this.#blocks?.next()
    this.#block = next?.done === false ? next.value : undefined
  }
}
