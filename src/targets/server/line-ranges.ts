/** Reads consecutive byte ranges of a file without rereading the bytes before them. */

import type { LineBlock } from '../../source/lines.js'

export type ByteRange = {
  /** Offset of the first byte. */
  readonly start: number
  /** Offset after the last byte. */
  readonly end: number
}

/** Continues reading where the last range ended. A range that starts earlier is read from the start of the file. */
export class LineRanges {
  #blocks: AsyncIterator<LineBlock> | undefined
  /** The last block read, which may contain the start of the next range. */
  #block: LineBlock | undefined

  constructor(private readonly lines: () => AsyncIterable<LineBlock>) {}

  /** Reads a range in pieces. Each piece is valid until the next one is requested. */
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
    // Also waits for an abandoned read, so that its block is not mistaken for one of the next iteration.
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
