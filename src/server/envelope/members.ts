/** Iterates over the members of a JSON object in its bytes, without building the object. */

import type { ExactValue } from '../../contract/exact-value.js'
import { readBody } from '../../source/exact-json.js'
import { INVALID, skipSpace, skipString, skipValue } from './skip-value.js'

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_LIST = 0x5b
const OPEN = 0x7b
const CLOSE = 0x7d

export type Member = { readonly key: string; readonly start: number }

/**
 * Yields each member's key and the offset of its value. The caller must pass the offset after that value, or INVALID,
 * to the next call of `next`.
 * @param from offset at which the object's `{` is expected
 * @returns the offset after the `}`, or INVALID
 */
export function* walkMembers(bytes: Buffer, from: number): Generator<Member, number, number> {
  if (bytes[from] !== OPEN) return INVALID
  let at = skipSpace(bytes, from + 1)
  if (bytes[at] === CLOSE) return at + 1
  for (;;) {
    const keyEnd = bytes[at] === QUOTE ? skipString(bytes, at) : INVALID
    if (keyEnd === INVALID) return INVALID
    const colon = skipSpace(bytes, keyEnd)
    if (bytes[colon] !== COLON) return INVALID
    const end = yield { key: keyAt(bytes, at, keyEnd), start: skipSpace(bytes, colon + 1) }
    if (end === INVALID) return INVALID
    at = skipSpace(bytes, end)
    if (bytes[at] === CLOSE) return at + 1
    if (bytes[at] !== COMMA) return INVALID
    at = skipSpace(bytes, at + 1)
  }
}

/** Larger than any known field name. */
const MAX_NAME_BYTES = 1024

/** The key at an offset. An overlong key is shortened, because it cannot be a known name anyway. */
function keyAt(bytes: Buffer, start: number, end: number): string {
  if (end - start > MAX_NAME_BYTES) return `${bytes.toString('latin1', start + 1, start + 64)}…`
  return valueAt(bytes, start, end) as string
}

export type FlatObject = { readonly end: number; readonly value: ExactValue }

/**
 * Reads an object whose known fields are strings or numbers. Every other value violates the contract and is only skipped:
 * a nested value becomes an empty array, and of all unknown names only the first is kept, with the value null.
 * @returns undefined when the bytes are not valid JSON
 */
export function readFlatObject(
  bytes: Buffer,
  from: number,
  { names, maxDepth }: { readonly names: ReadonlySet<string>; readonly maxDepth: number },
): FlatObject | undefined {
  if (bytes[from] !== OPEN) {
    const end = skipValue(bytes, from, maxDepth)
    return end === INVALID ? undefined : { end, value: plainValueAt(bytes, from, end) }
  }
  const fields = Object.create(null) as Record<string, ExactValue>
  const members = walkMembers(bytes, from)
  let unknown: string | undefined
  let step = members.next()
  while (step.done !== true) {
    const { key, start } = step.value
    const end = skipValue(bytes, start, maxDepth - 1)
    if (!names.has(key)) unknown ??= key
    else if (end !== INVALID) fields[key] = plainValueAt(bytes, start, end)
    step = members.next(end)
  }
  if (step.value === INVALID) return undefined
  if (unknown !== undefined) fields[unknown] = null
  return { end: step.value, value: fields }
}

/** A nested value becomes an empty array, because no known field has one. */
export function plainValueAt(bytes: Buffer, start: number, end: number): ExactValue {
  return bytes[start] === OPEN || bytes[start] === OPEN_LIST ? [] : valueAt(bytes, start, end)
}

/** Parses a value that `skipValue` accepted as valid JSON. */
function valueAt(bytes: Buffer, start: number, end: number): ExactValue {
  // JSON.parse reads valid strings as the exact reader does, and large ones much faster.
  if (bytes[start] === QUOTE) return JSON.parse(bytes.toString('utf8', start, end)) as string
  const read = readBody(bytes.subarray(start, end))
  if (!read.ok) throw new Error(`what was skipped as JSON ${read.message}`)
  return read.value
}
