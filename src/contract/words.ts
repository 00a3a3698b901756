/**
 * Reads and compares bytes four at a time, at any offset, because in JavaScript a four-byte access costs the same as a
 * one-byte access.
 * Nothing here checks the length of a view, because that costs as much as an access. Instead, every view ends with
 * SLACK bytes of
 * undefined content, and searched text ends with a line feed before them.
 */

export const SLACK = 3

/**
 * A view of some bytes with at least SLACK bytes after them.
 * @param bytes may be part of a larger buffer, whose following bytes then serve as slack
 */
export function wordView(bytes: Buffer): DataView {
  const room = bytes.buffer.byteLength - bytes.byteOffset - bytes.length
  const { buffer, byteOffset, length } = room < SLACK ? Buffer.concat([bytes, Buffer.alloc(SLACK)]) : bytes
  return new DataView(buffer, byteOffset, room < SLACK ? length : length + SLACK)
}

/**
 * A byte sequence to search for: at least four bytes without a line feed. The last word may overlap the previous one.
 */
export type Token = { readonly length: number; readonly words: Int32Array }

export function toToken(bytes: Buffer): Token {
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

/**
 * Copies the bytes from `start` to `end`. Up to SLACK bytes after them in `to` are overwritten too.
 * @returns the offset after the copied bytes
 */
export function copyBytes(to: DataView, at: number, from: DataView, start: number, end: number): number {
  const shift = at - start
  for (let i = start; i < end; i += 4) to.setInt32(i + shift, from.getInt32(i, true), true)
  return end + shift
}

/** @returns the offset of the first byte from `from` on that is not a decimal digit */
export function endOfDigits(view: DataView, from: number): number {
  for (let at = from; ; at += 4) {
    const word = view.getInt32(at, true)
    // A digit is 0x30 to 0x39, and its high half stays 3 when 6 is added. A carry only affects bytes after the first
    // non-digit.
    const others = ((word & 0xf0f0f0f0) ^ 0x30303030) | (((word + 0x06060606) & 0xf0f0f0f0) ^ 0x30303030)
    if (others !== 0) return at + firstByte(others)
  }
}

/** @returns the offset of the first quote, backslash or control character from `from` on */
export function endOfPlain(view: DataView, from: number): number {
  for (let at = from; ; at += 4) {
    const word = view.getInt32(at, true)
    const quotes = word ^ 0x22222222
    const backslashes = word ^ 0x5c5c5c5c
    // Subtracting n from a smaller byte sets its top bit. The borrow only affects bytes after the first match.
    const found =
      ((quotes - 0x01010101) & ~quotes) | ((backslashes - 0x01010101) & ~backslashes) | ((word - 0x20202020) & ~word)
    if ((found & 0x80808080) !== 0) return at + firstByte(found & 0x80808080)
  }
}

/** Index of the lowest byte that has a bit set. */
function firstByte(word: number): number {
  return (31 - Math.clz32(word & -word)) >> 3
}
