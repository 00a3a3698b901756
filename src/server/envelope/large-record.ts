/** Reads records that are too large for an object tree: their integer lists stay bytes, and other requests get turns. */

import type { ExactValue } from '../../contract/exact-value.js'
import { CONTRACT } from '../../contract/kinds.js'
import { checkShape } from '../../contract/validate.js'
import type { ListedRecord } from '../../source/read-record.js'
import { plainValueAt, walkMembers } from './members.js'
import { INVALID, skipInSteps, skipSpace, skipValue, STEP_BYTES } from './skip-value.js'

const MINUS = 0x2d
const ZERO = 0x30
const COLON = 0x3a
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d

export type ReadElement =
  /** The exact reader read the record. */
  | { readonly kind: 'read'; readonly record: ListedRecord }
  /** Valid JSON that is not a record of the server's contract version. */
  | { readonly kind: 'misshapen'; readonly message: string }

/** A record of more bytes is read by `readLargeRecord`. */
export const LARGE_RECORD_BYTES = 256 * 1024

const NAMES = new Set(['kind', ...CONTRACT.kinds.flatMap(({ fields }) => fields.map(({ name }) => name))])

type IntegerList =
  /** The integers as text, separated by commas. */
  | { readonly text: Buffer }
  /** The first element that is not an i64. */
  | { readonly wrong: ExactValue; readonly index: number }

export type LargeRecordOptions = { readonly maxDepth: number; readonly version: number }

/**
 * @param bytes the record, which `skipValue` accepted, and at least one byte after it
 * @param start offset of the record
 */
export function* readLargeRecord(
  bytes: Buffer,
  start: number,
  { maxDepth, version }: LargeRecordOptions,
): Generator<void, ReadElement> {
  const fields = Object.create(null) as Record<string, ExactValue>
  const lists = new Map<string, IntegerList>()
  const members = walkMembers(bytes, start)
  let pause = start + STEP_BYTES
  let step = members.next()
  while (step.done !== true) {
    const { key, start } = step.value
    const end = yield* skipInSteps(bytes, start, maxDepth)
    // All unknown fields are rejected alike, so only the first is kept.
    const name = NAMES.has(key) || !Object.keys(fields).some(name => !NAMES.has(name)) ? key : undefined
    if (name !== undefined) {
      // When a key is repeated, the last value counts.
      lists.delete(name)
      if (bytes[start] === OPEN_LIST) lists.set(name, yield* readIntegers(bytes, start, maxDepth))
      fields[name] = standIn(lists.get(name)) ?? plainValueAt(bytes, start, end)
    }
    if (start > pause) {
      yield
      pause = start + STEP_BYTES
    }
    step = members.next(end)
  }
  return judge(step.value === INVALID ? [] : fields, lists, version)
}

/** An array for the check of the record's shape, with the first wrong element of the list if there is one. */
function standIn(list: IntegerList | undefined): ExactValue | undefined {
  if (list === undefined) return undefined
  return 'text' in list ? [] : [list.wrong]
}

function judge(value: ExactValue, lists: ReadonlyMap<string, IntegerList>, version: number): ReadElement {
  const shape = checkShape(value, { version })
  if (shape.ok) {
    const texts = [...lists].flatMap(([name, list]) => ('text' in list ? [[name, list.text] as const] : []))
    return { kind: 'read', record: { ...shape.value, lists: new Map(texts) } }
  }
  let { message } = shape.problem
  for (const [name, list] of lists)
    if ('index' in list) message = message.replace(`/${name}/0`, () => `/${name}/${list.index}`)
  return { kind: 'misshapen', message }
}

/** @param start offset of the `[` */
function* readIntegers(bytes: Buffer, start: number, maxDepth: number): Generator<void, IntegerList> {
  let at = skipSpace(bytes, start + 1)
  let hasSpace = at > start + 1
  let pause = start + STEP_BYTES
  for (let index = 0; bytes[at] !== CLOSE_LIST; index++) {
    const end = endOfInteger(bytes, at)
    if (end === INVALID) return { wrong: plainValueAt(bytes, at, skipValue(bytes, at, maxDepth)), index }
    const comma = skipSpace(bytes, end)
    const next = bytes[comma] === CLOSE_LIST ? comma : skipSpace(bytes, comma + 1)
    hasSpace ||= comma > end || next > comma + 1
    at = next
    if (at > pause) {
      yield
      pause = at + STEP_BYTES
    }
  }
  const text = bytes.subarray(start + 1, at)
  return { text: hasSpace ? withoutSpace(text) : text }
}

/** An integer of this many digits fits in 64 bits. */
const SAFE_DIGITS = 18
const MAX_DIGITS = 19

/** @returns the offset after the i64 at `from`, or INVALID when the number there is not written as one */
function endOfInteger(bytes: Buffer, from: number): number {
  const first = bytes[from] === MINUS ? from + 1 : from
  let at = first
  while (bytes[at]! >= ZERO && bytes[at]! < COLON) at++
  const digits = at - first
  const next = bytes[at]!
  const isReal = next === 0x2e || (next & ~0x20) === 0x45
  if (digits === 0 || digits > MAX_DIGITS || isReal || (bytes[first] === ZERO && first > from)) return INVALID
  if (digits <= SAFE_DIGITS) return at
  const value = BigInt(bytes.toString('latin1', from, at))
  return BigInt.asIntN(64, value) === value ? at : INVALID
}

function withoutSpace(text: Buffer): Buffer {
  const kept = Buffer.allocUnsafe(text.length)
  let length = 0
  for (const byte of text) if (byte > 0x20) kept[length++] = byte
  return kept.subarray(0, length)
}
