/** Splits a byte stream into blocks of whole lines. Uses two buffers: one is read into while the other is processed. */

import type { ByteReader } from './byte-reader.js'
import type { LinePosition } from './record-batch.js'

/**
 * A block of whole lines. Valid until the next block is requested, because its memory is reused. Every line ends with a
 * line feed; one
 * is added to a last line that has none.
 */
export type LineBlock = {
  readonly bytes: Buffer
  /** Offset of the block's first byte in the source. */
  readonly firstByte: number
  /** True when the block is only the start of a line that exceeds the limit. The rest of that line is skipped. */
  readonly tooLong: boolean
}

export type LineLimits = { readonly blockBytes: number; readonly maxLineBytes: number }

/** Blocks that fit in the second-level cache are read faster than larger ones. */
export const LINE_LIMITS: LineLimits = { blockBytes: 256 * 1024, maxLineBytes: 16 * 1024 * 1024 }

const LF = 0x0a

/**
 * Moves a position past blank lines, byte by byte, because a small compressed input may hold hundreds of millions of them.
 * @param place the start of a line and the number of lines before it
 */
export function skipBlankLines(bytes: Buffer, place: LinePosition): void {
  for (let at = place.start; at < bytes.length; at++) {
    if (bytes[at] === LF) {
      place.line++
      place.start = at + 1
    } else if (!isSpace(bytes[at]!)) return
  }
}

export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d
}
/** Number of bytes kept of a line that exceeds the limit. */
const HEAD_BYTES = 64

/**
 * Splits the bytes of `reader` into blocks and closes it at the end. Uses memory for at most two blocks or two lines of
 * maximum length.
 */
export async function* lineBlocks(reader: ByteReader, limits: LineLimits = LINE_LIMITS): AsyncGenerator<LineBlock> {
  const splitter = new Splitter(reader, limits)
  try {
    for (;;) {
      const block = await splitter.next()
      if (block === undefined) return
      yield block
    }
  } finally {
    await splitter.settle()
    await reader.close()
  }
}

class Splitter {
  #current: Buffer
  #spare: Buffer
  /** Bytes of `#current` that are filled. */
  #filled = 0
  /** Leading bytes of `#current` that are known to hold no line feed. */
  #searched = 0
  #firstByte = 0
  #pending: Promise<number> | undefined

  constructor(
    private readonly reader: ByteReader,
    private readonly limits: LineLimits,
  ) {
    // One extra byte, for the line feed that the last line may lack.
    this.#current = Buffer.allocUnsafe(limits.blockBytes + 1)
    this.#spare = Buffer.allocUnsafe(limits.blockBytes + 1)
  }

  async next(): Promise<LineBlock | undefined> {
    for (;;) {
      const room = this.#room()
      const count = await (this.#pending ?? this.reader.read(room, this.#filled))
      this.#pending = undefined
      if (count === 0) return this.#last()
      this.#filled += count
      const end = this.#current.subarray(this.#searched, this.#filled).lastIndexOf(LF) + 1
      if (end > 0) return this.#cut(this.#searched + end)
      this.#searched = this.#filled
      if (this.#filled >= this.limits.maxLineBytes) return await this.#skipLine()
    }
  }

  /** Waits for a pending read, so that its buffer and file can be released. */
  async settle(): Promise<void> {
    await this.#pending?.catch(() => undefined)
  }

  /** The writable part of `#current`, which is enlarged when a long line has filled it. */
  #room(): Buffer {
    if (this.#pending === undefined && this.#filled === this.#current.length - 1) {
      const larger = Buffer.allocUnsafe(Math.min(this.#current.length * 2, this.limits.maxLineBytes + 1))
      this.#current.copy(larger, 0, 0, this.#filled)
      this.#current = larger
    }
    return this.#current.subarray(0, this.#current.length - 1)
  }

  /** Returns the first `end` bytes as a block, moves the rest to the other buffer and starts reading into that one. */
  #cut(end: number): LineBlock {
    const block = this.#block(this.#current.subarray(0, end), false)
    const rest = this.#filled - end
    if (this.#spare.length < rest + this.limits.blockBytes / 2) this.#spare = Buffer.allocUnsafe(this.#current.length)
    this.#current.copy(this.#spare, 0, end, this.#filled)
    const given = this.#current
    this.#current = this.#spare
    this.#spare = given
    this.#filled = this.#searched = rest
    this.#readAhead()
    return block
  }

  #readAhead(): void {
    const pending = this.reader.read(this.#room(), this.#filled)
    // A failed read is reported by the next call of next(); until then the rejection must not count as unhandled.
    pending.catch(() => undefined)
    this.#pending = pending
  }

  #block(bytes: Buffer, tooLong: boolean): LineBlock {
    const block = { bytes, firstByte: this.#firstByte, tooLong }
    this.#firstByte += bytes.length
    return block
  }

  #last(): LineBlock | undefined {
    if (this.#filled === 0) return undefined
    // The rest of a buffer after a line that was too long may end with a line feed already.
    if (this.#current[this.#filled - 1] !== LF) this.#current[this.#filled++] = LF
    const block = this.#block(this.#current.subarray(0, this.#filled), false)
    this.#filled = 0
    return block
  }

  /** Discards the rest of a line that is too long and keeps the bytes after it. */
  async #skipLine(): Promise<LineBlock> {
    const block = this.#block(Buffer.from(this.#current.subarray(0, HEAD_BYTES)), true)
    this.#firstByte += this.#filled - block.bytes.length
    this.#current = Buffer.allocUnsafe(this.limits.blockBytes + 1)
    for (;;) {
      const count = await this.reader.read(this.#room(), 0)
      const end = this.#current.subarray(0, count).indexOf(LF) + 1
      this.#firstByte += end === 0 ? count : end
      if (end > 0) this.#current.copyWithin(0, end, count)
      this.#filled = end === 0 ? 0 : count - end
      this.#searched = 0
      if (end > 0 || count === 0) return block
    }
  }
}
