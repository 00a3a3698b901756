/** The members of an object in bytes, one after the other, without building it. */

import type { ExactValue } from '../../contract/exact-value.js'
import { readBody } from '../../source/body.js'
import { INVALID, skipSpace, skipString, skipValue } from './skip-value.js'

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_LIST = 0x5b
const OPEN = 0x7b
const CLOSE = 0x7d

export type Member = { readonly key: string; readonly start: number }

/**
 * Gives each member's key and where its value starts, and wants to be told where that ends, or INVALID.
 * @param from where the object's `{` may stand @returns the place after its `}`, or INVALID
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
    const end = yield { key: nameAt(bytes, at, keyEnd), start: skipSpace(bytes, colon + 1) }
    if (end === INVALID) return INVALID
    at = skipSpace(bytes, end)
    if (bytes[at] === CLOSE) return at + 1
    if (bytes[at] !== COMMA) return INVALID
    at = skipSpace(bytes, at + 1)
  }
}

/** More characters than any name has. */
const MAX_NAME_BYTES = 1024

/** A key that was skipped. One that is far longer than any name is given shortened: it is unknown either way. */
function nameAt(bytes: Buffer, start: number, end: number): string {
  if (end - start > MAX_NAME_BYTES) return `${bytes.toString('latin1', start + 1, start + 64)}…`
  return valueAt(bytes, start, end) as string
}

export type FlatObject = { readonly end: number; readonly value: ExactValue }

/**
 * Reads an object that should hold nothing but strings and numbers under known names. What it holds besides cannot be
 * right and is only skipped: a nested value stands there as an empty array, of the unknown names one is kept.
 * @returns undefined when this is no JSON
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

function plainValueAt(bytes: Buffer, start: number, end: number): ExactValue {
  return bytes[start] === OPEN || bytes[start] === OPEN_LIST ? [] : valueAt(bytes, start, end)
}

/** A value that was skipped, so it is JSON. */
function valueAt(bytes: Buffer, start: number, end: number): ExactValue {
  const read = readBody(bytes.subarray(start, end))
  if (!read.ok) throw new Error(`what was skipped as JSON ${read.message}`)
  return read.value
}
