/** Divides a source into its rejected lines and the others, byte for byte. */

import type { ByteReader } from './byte-reader.js'
import type { Source } from './source.js'

const LF = 0x0a
const SPACE = 0x20
const CHUNK_BYTES = 256 * 1024
/** A longer rejected line is shortened where it is blanked, because a long blank line would be rejected again. */
const MAX_BLANK_BYTES = 1024 * 1024

/** A set of line numbers, counted from 1. Uses one bit per line up to the highest number. */
export class LineSet {
  #bits = new Uint8Array(0)
  #size = 0

  get size(): number {
    return this.#size
  }

  add(line: number): void {
    if (this.has(line)) return
    const at = line >> 3
    if (at >= this.#bits.length) {
      const larger = new Uint8Array(Math.max(1024, at * 2))
      larger.set(this.#bits)
      this.#bits = larger
    }
    this.#bits[at]! |= 1 << (line & 7)
    this.#size++
  }

  has(line: number): boolean {
    return ((this.#bits[line >> 3] ?? 0) & (1 << (line & 7))) !== 0
  }
}

/** A part of a source that starts after `linesBefore` lines of its file. */
export type SourcePart = { readonly source: Source; readonly linesBefore: number }

/**
 * The source with its rejected lines as blank lines of the same length. Line numbers and byte offsets of the other lines thus
 * stay the same, except after a rejected line of more than 1 MiB, which is shortened.
 */
export function acceptedSource({ source, linesBefore }: SourcePart, rejected: LineSet): Source {
  return { ...source, open: async () => blankingReader(await source.open(), { linesBefore, rejected }) }
}

type Blanking = { readonly linesBefore: number; readonly rejected: LineSet }

function blankingReader(reader: ByteReader, { linesBefore, rejected }: Blanking): ByteReader {
  const lines = new LineParts(linesBefore)
  let blankBytes = 0
  /** Blanks the rejected lines in the first bytes. @returns the number of bytes that are left */
  const blank = (bytes: Buffer, count: number): number => {
    let to = 0
    lines.visit(bytes.subarray(0, count), (from, until, line) => {
      if (!rejected.has(line)) {
        if (to < from) bytes.copyWithin(to, from, until)
        to += until - from
        return
      }
      const endsLine = bytes[until - 1] === LF
      const spaces = Math.min(until - from - Number(endsLine), MAX_BLANK_BYTES - blankBytes)
      bytes.fill(SPACE, to, (to += spaces))
      blankBytes = endsLine ? 0 : blankBytes + spaces
      if (endsLine) bytes[to++] = LF
    })
    return to
  }
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  let rest = chunk.subarray(0, 0)
  return {
    async read(into, offset) {
      while (rest.length === 0) {
        const count = await reader.read(chunk, 0)
        if (count === 0) return 0
        rest = chunk.subarray(0, blank(chunk, count))
      }
      const taken = rest.copy(into, offset)
      rest = rest.subarray(taken)
      return taken
    },
    close: () => reader.close(),
  }
}

/** Adjacent lines, or a part of a line, that were all rejected or all accepted. Valid until the next piece is requested. */
export type SplitPiece = { readonly isRejected: boolean; readonly bytes: Buffer }

/** All bytes of a source, in order. */
export async function* splitLines({ source, linesBefore }: SourcePart, rejected: LineSet): AsyncGenerator<SplitPiece> {
  const reader = await source.open()
  const lines = new LineParts(linesBefore)
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  try {
    for (;;) {
      const count = await reader.read(chunk, 0)
      if (count === 0) return
      yield* splitChunk(chunk.subarray(0, count), lines, rejected)
    }
  } finally {
    await reader.close()
  }
}

function splitChunk(chunk: Buffer, lines: LineParts, rejected: LineSet): readonly SplitPiece[] {
  const pieces: { isRejected: boolean; from: number; until: number }[] = []
  lines.visit(chunk, (from, until, line) => {
    const isRejected = rejected.has(line)
    const last = pieces.at(-1)
    if (last?.isRejected === isRejected) last.until = until
    else pieces.push({ isRejected, from, until })
  })
  return pieces.map(({ isRejected, from, until }) => ({ isRejected, bytes: chunk.subarray(from, until) }))
}

/** Finds the lines in consecutive chunks of bytes. */
class LineParts {
  #line: number

  constructor(linesBefore: number) {
    this.#line = linesBefore + 1
  }

  /** Calls `visitor` with the bounds of each line, with its line feed, or of the part of the line that is in this chunk. */
  visit(chunk: Buffer, visitor: (from: number, until: number, line: number) => void): void {
    for (let from = 0; from < chunk.length;) {
      const end = chunk.indexOf(LF, from)
      const until = end === -1 ? chunk.length : end + 1
      visitor(from, until, this.#line)
      if (end !== -1) this.#line++
      from = until
    }
  }
}
