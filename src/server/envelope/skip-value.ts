/** Finds the end of JSON values in bytes and rejects invalid JSON. Builds no values, so memory use does not depend on size. */

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const PLUS = 0x2b
const COMMA = 0x2c
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const COLON = 0x3a
const OPEN_LIST = 0x5b
const BACKSLASH = 0x5c
const CLOSE_LIST = 0x5d
const LETTER_E = 0x45
const LETTER_U = 0x75
const OPEN = 0x7b
const CLOSE = 0x7d

/** Returned in place of an offset when the bytes are not valid JSON. */
export const INVALID = -1

const WORDS = ['true', 'false', 'null']
/** Characters that may follow a backslash, except `u`. */
const ESCAPES = new Set(Buffer.from('"\\/bfnrt'))
/** A number with at most this many integer digits and no exponent is always in the range of a double. */
const SAFE_DIGITS = 300

/**
 * Skips one JSON value by the rules of the exact reader: numbers must be in the range of a double, surrogates must be
 * paired, and at most `maxDepth` levels may be nested.
 * @param bytes valid UTF-8 that ends with a line feed
 * @returns the offset after the value, or INVALID
 * @see parseExact, which accepts and rejects the same bytes
 */
export function skipValue(bytes: Buffer, from: number, maxDepth: number): number {
  const steps = skipInSteps(bytes, from, maxDepth)
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}

/** Other requests get a turn after this many bytes. */
export const STEP_BYTES = 256 * 1024

/** Does what `skipValue` does, and yields after every STEP_BYTES. */
export function* skipInSteps(bytes: Buffer, from: number, maxDepth: number): Generator<void, number> {
  /** Closing characters of all open objects and arrays, the outermost first. */
  const open: number[] = []
  let at = from
  let pause = from + STEP_BYTES
  for (;;) {
    if (at > pause) {
      yield
      pause = at + STEP_BYTES
    }
    const start = skipSpace(bytes, at)
    const char = bytes[start]
    if (char === OPEN || char === OPEN_LIST) {
      if (open.length === maxDepth) return INVALID
      at = skipSpace(bytes, start + 1)
      const closing = char === OPEN ? CLOSE : CLOSE_LIST
      if (bytes[at] !== closing) {
        open.push(closing)
        if (char === OPEN) at = skipKey(bytes, at)
        if (at === INVALID) return INVALID
        continue
      }
      at++
    } else if (char === QUOTE) {
      at = stringEnd(bytes, start + 1, start + STEP_BYTES)
      for (; at < INVALID; at = stringEnd(bytes, ~at, ~at + STEP_BYTES)) yield
    } else at = skipScalar(bytes, start)
    if (at !== INVALID) at = closeAll(bytes, at, open)
    if (at === INVALID || open.length === 0) return at
  }
}

/** Closes the objects and arrays that end at `from`. Returns the offset of the next value, or after the outermost value. */
function closeAll(bytes: Buffer, from: number, open: number[]): number {
  let at = from
  while (open.length > 0) {
    at = skipSpace(bytes, at)
    const closing = open[open.length - 1]
    if (bytes[at] === COMMA) return closing === CLOSE ? skipKey(bytes, skipSpace(bytes, at + 1)) : at + 1
    if (bytes[at] !== closing) return INVALID
    open.pop()
    at++
  }
  return at
}

/** @returns the offset after the colon, or INVALID */
function skipKey(bytes: Buffer, from: number): number {
  const end = bytes[from] === QUOTE ? skipString(bytes, from) : INVALID
  if (end === INVALID) return INVALID
  const colon = skipSpace(bytes, end)
  return bytes[colon] === COLON ? colon + 1 : INVALID
}

/**
 * @param from offset of the opening quote
 * @returns the offset after the closing quote, or INVALID
 */
export function skipString(bytes: Buffer, from: number): number {
  return stringEnd(bytes, from + 1, Infinity)
}

/**
 * @param from an offset in a string
 * @returns the offset after the closing quote, or INVALID, or `~offset` to continue from when `until` was passed
 */
function stringEnd(bytes: Buffer, from: number, until: number): number {
  let at = from
  for (;;) {
    if (at > until) return ~at
    const char = bytes[at]!
    if (char === QUOTE) return at + 1
    if (char === BACKSLASH) {
      at = skipEscape(bytes, at)
      if (at === INVALID) return INVALID
    } else if (char >= SPACE) at++
    else return INVALID
  }
}

function skipEscape(bytes: Buffer, at: number): number {
  const letter = bytes[at + 1]!
  if (letter !== LETTER_U) return ESCAPES.has(letter) ? at + 2 : INVALID
  const high = codeUnit(bytes, at)
  if (high === INVALID || high < 0xd800 || high > 0xdfff) return high === INVALID ? INVALID : at + 6
  const low = high < 0xdc00 ? codeUnit(bytes, at + 6) : INVALID
  return low >= 0xdc00 && low <= 0xdfff ? at + 12 : INVALID
}

/** The UTF-16 code unit of the `\uXXXX` at `at`, or INVALID when there is none. */
function codeUnit(bytes: Buffer, at: number): number {
  if (bytes[at] !== BACKSLASH || bytes[at + 1] !== LETTER_U) return INVALID
  const digits = bytes.toString('latin1', at + 2, at + 6)
  return /^[0-9a-fA-F]{4}$/.test(digits) ? parseInt(digits, 16) : INVALID
}

function skipScalar(bytes: Buffer, from: number): number {
  if (bytes[from]! < COLON) return skipNumber(bytes, from)
  const word = WORDS.find(word => bytes[from] === word.charCodeAt(0))
  if (word === undefined) return INVALID
  const end = from + word.length
  return bytes.toString('latin1', from, end) === word ? end : INVALID
}

function skipNumber(bytes: Buffer, from: number): number {
  const whole = bytes[from] === MINUS ? from + 1 : from
  let at = skipDigits(bytes, whole)
  if (at === whole || (bytes[whole] === ZERO && at > whole + 1)) return INVALID
  const wide = at - whole > SAFE_DIGITS
  if (bytes[at] === DOT) {
    const fraction = at + 1
    at = skipDigits(bytes, fraction)
    if (at === fraction) return INVALID
  }
  const exponent = (bytes[at]! & ~SPACE) === LETTER_E
  if (exponent) {
    const digits = bytes[at + 1] === PLUS || bytes[at + 1] === MINUS ? at + 2 : at + 1
    at = skipDigits(bytes, digits)
    if (at === digits) return INVALID
  }
  if (!wide && !exponent) return at
  return Number.isFinite(Number(bytes.toString('latin1', from, at))) ? at : INVALID
}

function skipDigits(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at]! >= ZERO && bytes[at]! < COLON) at++
  return at
}

/** Skips JSON white space: space, line feed, carriage return and tab. */
export function skipSpace(bytes: Buffer, from: number): number {
  let at = from
  for (;;) {
    const char = bytes[at]
    if (char !== SPACE && char !== LF && char !== CR && char !== TAB) return at
    at++
  }
}
