/**
 * Bytes four at a time, at any offset: in JavaScript a step costs the same however many bytes it takes.
 *
 * Nothing here asks a view for its length, which costs as much as a step. Instead every view ends with SLACK bytes of
 * no meaning, and whatever is searched ends with a line feed before them.
 */

export const SLACK = 3

/** @param bytes may be a part of a larger buffer: then what follows them there is the slack */
export function wordView(bytes: Buffer): DataView {
  const room = bytes.buffer.byteLength - bytes.byteOffset - bytes.length
  const { buffer, byteOffset, length } = room < SLACK ? Buffer.concat([bytes, Buffer.alloc(SLACK)]) : bytes
  return new DataView(buffer, byteOffset, room < SLACK ? length : length + SLACK)
}

/** Bytes to look for, at least four and no line feed; the last word may overlap the one before. */
export type Token = { readonly length: number; readonly words: Int32Array }

export function tokenOf(bytes: Buffer): Token {
  const count = Math.ceil(bytes.length / 4)
  const words = Int32Array.from({ length: count }, (_, index) =>
    bytes.readInt32LE(Math.min(index * 4, bytes.length - 4)),
  )
  return { length: bytes.length, words }
}

export function startsWith(view: DataView, at: number, { length, words }: Token): boolean {
  const last = words.length - 1
  for (let index = 0; index < last; index++) if (view.getInt32(at + index * 4, true) !== words[index]) return false
  return view.getInt32(at + length - 4, true) === words[last]
}

/** Copies the bytes from `start` to `end` and returns what follows them in `to`, where up to SLACK more are spoilt. */
export function copyBytes(to: DataView, at: number, from: DataView, start: number, end: number): number {
  const shift = at - start
  for (let i = start; i < end; i += 4) to.setInt32(i + shift, from.getInt32(i, true), true)
  return end + shift
}

/** @returns where the decimal digits that start at `from` end */
export function endOfDigits(view: DataView, from: number): number {
  for (let at = from; ; at += 4) {
    const word = view.getInt32(at, true)
    // A digit is 0x3n and stays so when 6 is added. A carry only spoils bytes after the first that is no digit.
    const others = ((word & 0xf0f0f0f0) ^ 0x30303030) | (((word + 0x06060606) & 0xf0f0f0f0) ^ 0x30303030)
    if (others !== 0) return at + firstByte(others)
  }
}

/** @returns where the first quote, backslash or control character from `from` on stands */
export function endOfPlain(view: DataView, from: number): number {
  for (let at = from; ; at += 4) {
    const word = view.getInt32(at, true)
    const quotes = word ^ 0x22222222
    const backslashes = word ^ 0x5c5c5c5c
    // A byte less n borrows into its top bit when it is below n; a borrow only spoils bytes after the first such one.
    const found =
      ((quotes - 0x01010101) & ~quotes) | ((backslashes - 0x01010101) & ~backslashes) | ((word - 0x20202020) & ~word)
    if ((found & 0x80808080) !== 0) return at + firstByte(found & 0x80808080)
  }
}

/** Index of the lowest byte that has a bit set. */
function firstByte(word: number): number {
  return (31 - Math.clz32(word & -word)) >> 3
}
