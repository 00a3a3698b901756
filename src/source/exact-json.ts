/**
 * A JSON parser that keeps what JSON.parse loses: whether a number was written as an integer, and all digits of
 * integers. It refuses
 * texts that JSON parsers interpret differently.
 */

import { isUtf8 } from 'node:buffer'
import type { ExactObject, ExactValue } from '../contract/exact-value.js'

export type SyntaxCode = 'invalid_json' | 'number_out_of_range' | 'lone_surrogate' | 'too_deep' | 'byte_order_mark'

export type ExactResult =
  | { readonly ok: true; readonly value: ExactValue }
  | { readonly ok: false; readonly code: SyntaxCode; readonly message: string }

export type ExactOptions = {
  /** Maximum nesting depth of arrays and objects. The reference server allows 127 for a whole body. */
  readonly maxDepth: number
  /** Called with the text of every number that is not written as a plain integer. */
  readonly onReal?: (token: string) => void
  /** True returns each such number as the string of its text, for messages and for exact calculations. */
  readonly areRealsText?: boolean
  /** True reads NaN, Infinity and -Infinity, which programs in Python and C++ write though JSON has no such numbers, as null. */
  readonly areNonNumbersNull?: boolean
}

export const MAX_BODY_DEPTH = 127

/**
 * Parses one JSON text as the reference server does. When a key is repeated, the last value wins, and the replaced
 * values must be
 * valid too. Lone surrogates, numbers outside the range of a double and a byte-order mark are refused.
 * @see contract section 3
 */
export function parseExact(text: string, options: ExactOptions): ExactResult {
  try {
    return { ok: true, value: new Reader(text, options).document() }
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, code: error.code, message: error.message }
    throw error
  }
}

class Refusal extends Error {
  constructor(
    readonly code: SyntaxCode,
    message: string,
  ) {
    super(message)
  }
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y
// Characters that a string may contain unescaped: all but quotes, backslashes and control characters.
const PLAIN = /[^"\\\u0000-\u001f]*/y
/** Characters that may follow a backslash, except `u`. */
const ESCAPES = new Set('"\\/bfnrt')

class Reader {
  #at = 0
  #depth = 0

  constructor(
    private readonly text: string,
    private readonly options: ExactOptions,
  ) {}

  document(): ExactValue {
    if (this.text.charCodeAt(0) === 0xfeff)
      throw new Refusal('byte_order_mark', 'starts with a byte-order mark, which JSON does not allow')
    const value = this.#value()
    this.#skipSpace()
    if (this.#at < this.text.length) throw this.#unexpected('the end')
    return value
  }

  #value(): ExactValue {
    this.#skipSpace()
    const char = this.text[this.#at]
    if (char === '{') return this.#nested(() => this.#object())
    if (char === '[') return this.#nested(() => this.#array())
    if (char === '"') return this.#string()
    if (char === 't') return this.#word('true', true)
    if (char === 'f') return this.#word('false', false)
    if (char === 'n') return this.#word('null', null)
    return this.#number()
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > this.options.maxDepth)
      throw new Refusal('too_deep', `nests deeper than ${this.options.maxDepth} levels at ${this.#place()}`)
    this.#at++
    const value = read()
    this.#depth--
    return value
  }

  #object(): ExactObject {
    const object = Object.create(null) as Record<string, ExactValue>
    if (this.#take('}')) return object
    do {
      this.#skipSpace()
      if (this.text[this.#at] !== '"') throw this.#unexpected('a key in double quotes')
      const key = this.#string()
      if (!this.#take(':')) throw this.#unexpected('":"')
      object[key] = this.#value()
    } while (this.#take(','))
    if (!this.#take('}')) throw this.#unexpected('"," or "}"')
    return object
  }

  #array(): ExactValue[] {
    const array: ExactValue[] = []
    if (this.#take(']')) return array
    do array.push(this.#value())
    while (this.#take(','))
    if (!this.#take(']')) throw this.#unexpected('"," or "]"')
    return array
  }

  #number(): bigint | number | string | null {
    NUMBER.lastIndex = this.#at
    const match = NUMBER.exec(this.text)
    if (match === null) return this.#nonNumber()
    const token = match[0]
    const number = Number(token)
    if (!Number.isFinite(number))
      throw new Refusal('number_out_of_range', `${shorten(token)} is beyond the range of a double`)
    this.#at += token.length
    if (match[1] === undefined && match[2] === undefined && token !== '-0') return BigInt(token)
    this.options.onReal?.(token)
    return this.options.areRealsText === true ? token : number
  }

  #nonNumber(): null {
    const word = ['NaN', 'Infinity', '-Infinity'].find(name => this.text.startsWith(name, this.#at))
    if (word === undefined || this.options.areNonNumbersNull !== true) throw this.#unexpected('a value')
    return this.#word(word, null)
  }

  #string(): string {
    const start = this.#at++
    for (;;) {
      PLAIN.lastIndex = this.#at
      PLAIN.test(this.text)
      const isPlain = this.#at === start + 1
      this.#at = PLAIN.lastIndex
      const char = this.text[this.#at]
      if (char === '"') {
        const end = this.#at++
        // JSON.parse reads valid strings in the same way. Joining millions of escapes here would take gigabytes.
        return isPlain ? this.text.slice(start + 1, end) : (JSON.parse(this.text.slice(start, end + 1)) as string)
      }
      if (char !== '\\') throw this.#unexpected('the end of a string')
      this.#skipEscape()
    }
  }

  #skipEscape(): void {
    const letter = this.text[this.#at + 1] ?? ''
    if (letter === 'u') return this.#skipUnicode()
    if (!ESCAPES.has(letter)) throw this.#unexpected('an escape that JSON knows')
    this.#at += 2
  }

  #skipUnicode(): void {
    const high = this.#codeUnit()
    if (high < 0xd800 || high > 0xdfff) return
    const low = high < 0xdc00 && this.text.startsWith('\\u', this.#at) ? this.#codeUnit() : 0
    if (low < 0xdc00 || low > 0xdfff)
      throw new Refusal('lone_surrogate', `\\u${high.toString(16)} is half of a surrogate pair, not a character`)
  }

  #codeUnit(): number {
    const digits = this.text.slice(this.#at + 2, this.#at + 6)
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#unexpected('four hex digits after \\u')
    this.#at += 6
    return parseInt(digits, 16)
  }

  #word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.#at)) throw this.#unexpected('a value')
    this.#at += word.length
    return value
  }

  #take(char: string): boolean {
    this.#skipSpace()
    if (this.text[this.#at] !== char) return false
    this.#at++
    return true
  }

  #skipSpace(): void {
    for (;;) {
      const char = this.text.charCodeAt(this.#at)
      if (char !== 0x20 && char !== 0x0a && char !== 0x0d && char !== 0x09) return
      this.#at++
    }
  }

  #unexpected(wanted: string): Refusal {
    const found = this.text.codePointAt(this.#at)
    const place = this.#place()
    if (found === undefined)
      return new Refusal('invalid_json', `is not JSON: ends at ${place} where ${wanted} should be`)
    return new Refusal('invalid_json', `is not JSON: ${name(found)} at ${place} where ${wanted} should be`)
  }

  /** The column, after the line unless that is the first. */
  #place(): string {
    const before = this.text.slice(0, this.#at)
    const column = `column ${this.#at - before.lastIndexOf('\n')}`
    const lines = before.split('\n').length
    return lines === 1 ? column : `line ${lines}, ${column}`
  }
}

function name(codePoint: number): string {
  const char = String.fromCodePoint(codePoint)
  // Control characters and spaces would be invisible in a message.
  return /[\p{C}\p{Z}]/u.test(char) ? `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}` : `"${char}"`
}

/** Shortens external text to at most `max` characters, for a message. */
export function shorten(text: string, max = 40): string {
  return text.length <= max ? text : `${text.slice(0, max)}…`
}

export type BodyResult = ExactResult | { readonly ok: false; readonly code: 'invalid_utf8'; readonly message: string }

/**
 * Parses one JSON text with `parseExact`.
 * @param bytes a whole request body, or one line without its line feed
 * @see contract section 3
 */
export function readBody(bytes: Buffer, options: ExactOptions = { maxDepth: MAX_BODY_DEPTH }): BodyResult {
  if (!isUtf8(bytes)) return { ok: false, code: 'invalid_utf8', message: 'is not valid UTF-8' }
  return parseExact(bytes.toString('utf8'), options)
}
