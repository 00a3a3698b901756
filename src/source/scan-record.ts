/**
 * The fast reader: takes a line only when a plain look at its bytes proves it a valid record with nothing that JSON
 * readers could disagree about. Everything else is left to the exact reader, good or bad.
 *
 * Taken: the object starts with `kind`; known keys once each, written without escapes; strings without escapes or
 * control characters; integers of at most 18 digits (i32: 9) that are not `-0`; reals without an exponent and of at
 * most 15 digits; spaces between tokens; every required field there and every record rule kept.
 */

import { CONTRACT, type Field, type Kind } from '../contract/kinds.js'
import { ABSENT, STRIDE, type LinePlace, type RecordBatch } from './record-batch.js'

const VALUE = { str: 0, i32: 1, i64: 2, list: 3, real: 4 } as const
const TYPE_OF: Readonly<Record<Field['type'], number>> = {
  str: VALUE.str,
  i32: VALUE.i32,
  i64: VALUE.i64,
  '[i64]': VALUE.list,
  f64: VALUE.real,
}

const SPACE = 0x20
const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const OPEN_LIST = 0x5b
const BACKSLASH = 0x5c
const CLOSE_LIST = 0x5d
const LETTER_N = 0x6e
const OPEN = 0x7b
const CLOSE = 0x7d
const LF = 0x0a
const CR = 0x0d

type Layout = {
  /** `"query_measurement"` with its quotes. */
  readonly name: Buffer
  /** Each field's key with its quotes. */
  readonly keys: readonly Buffer[]
  readonly types: Uint8Array
  /** Bit f set: field f may be null. */
  readonly optional: number
  readonly required: number
  readonly together: number
  readonly oneOf: readonly { readonly field: number; readonly values: readonly Buffer[] }[]
}

const KIND_KEY = Buffer.from('"kind"')
const NULL = Buffer.from('null')
const LAYOUTS: readonly Layout[] = CONTRACT.kinds.map(layoutOf)

function layoutOf({ kind, fields, oneOf, together }: Kind): Layout {
  const bits = (chosen: (field: Field) => boolean): number =>
    fields.reduce((mask, field, index) => (chosen(field) ? mask | (1 << index) : mask), 0)
  return {
    name: Buffer.from(`"${kind}"`),
    keys: fields.map(field => Buffer.from(`"${field.name}"`)),
    types: Uint8Array.from(fields, field => TYPE_OF[field.type]),
    optional: bits(field => field.optional),
    required: bits(field => !field.optional),
    together: bits(field => together.includes(field.name)),
    oneOf: Object.entries(oneOf).map(([name, values]) => ({
      field: fields.findIndex(field => field.name === name),
      values: values.map(value => Buffer.from(value)),
    })),
  }
}

/** What the scanner says of a line that it leaves to the exact reader. */
export const NOT_TAKEN = -1

/**
 * Scans the line at `place` and, if it takes it, adds it to `batch` as a row.
 * @param bytes valid UTF-8 in which a line feed stands somewhere after its start: no step looks past it
 * @returns where the next line starts, or NOT_TAKEN
 */
export function scanRecord(bytes: Buffer, batch: RecordBatch, place: LinePlace): number {
  let at = place.start
  if (bytes[at++] !== OPEN) return NOT_TAKEN
  while (bytes[at] === SPACE) at++
  if (!matches(bytes, at, KIND_KEY)) return NOT_TAKEN
  at = afterColon(bytes, at + KIND_KEY.length)
  const kind = at === NOT_TAKEN ? NOT_TAKEN : kindAt(bytes, at)
  if (kind === NOT_TAKEN) return NOT_TAKEN
  const layout = LAYOUTS[kind]!
  const end = scanFields(bytes, at + layout.name.length, layout, batch)
  if (end === NOT_TAKEN || !keepsRules(bytes, layout, batch)) return NOT_TAKEN
  const next = afterLine(bytes, end)
  if (next !== NOT_TAKEN) batch.commit(kind, place)
  return next
}

let seen = 0

/** Scans `,"key":value` until `}` and returns what follows it; sets `seen` to the fields that hold a value. */
function scanFields(bytes: Buffer, from: number, layout: Layout, batch: RecordBatch): number {
  const { keys, types, optional } = layout
  const base = batch.nextRow() * STRIDE
  const { starts, ends } = batch
  const count = keys.length
  starts.fill(ABSENT, base, base + STRIDE)
  let met = 0
  let field = 0
  let at = from
  seen = 0
  for (;;) {
    while (bytes[at] === SPACE) at++
    const char = bytes[at++]
    if (char === CLOSE) return at
    if (char !== COMMA) return NOT_TAKEN
    while (bytes[at] === SPACE) at++
    // Emitters write the fields in column order, so the next one is nearly always the one expected here.
    let tries = 0
    while (field >= count || !matches(bytes, at, keys[field]!)) {
      if (++tries > count) return NOT_TAKEN
      field = field >= count - 1 ? 0 : field + 1
    }
    const bit = 1 << field
    if ((met & bit) !== 0) return NOT_TAKEN
    met |= bit
    at = afterColon(bytes, at + keys[field]!.length)
    if (at === NOT_TAKEN) return NOT_TAKEN
    if (bytes[at] === LETTER_N) {
      if ((optional & bit) === 0 || !matches(bytes, at, NULL)) return NOT_TAKEN
      at += NULL.length
    } else {
      const type = types[field]!
      // Strings and lists are kept without their quotes and brackets.
      const wrapped = type === VALUE.str || type === VALUE.list ? 1 : 0
      const end = scanValue(bytes, at, type)
      if (end === NOT_TAKEN) return NOT_TAKEN
      starts[base + field] = at + wrapped
      ends[base + field] = end - wrapped
      if (type === VALUE.real) batch.reals[batch.count] = Number(bytes.toString('latin1', at, end))
      seen |= bit
      at = end
    }
    field++
  }
}

function scanValue(bytes: Buffer, at: number, type: number): number {
  switch (type) {
    case VALUE.str:
      return scanString(bytes, at)
    case VALUE.i32:
      return scanInteger(bytes, at, 9)
    case VALUE.i64:
      return scanInteger(bytes, at, 18)
    case VALUE.list:
      return scanList(bytes, at)
    default:
      return scanReal(bytes, at)
  }
}

function scanString(bytes: Buffer, from: number): number {
  let at = from
  if (bytes[at++] !== QUOTE) return NOT_TAKEN
  for (;;) {
    const char = bytes[at++]!
    if (char === QUOTE) return at
    if (char < SPACE || char === BACKSLASH) return NOT_TAKEN
  }
}

function scanInteger(bytes: Buffer, from: number, maxDigits: number): number {
  let at = from
  const negative = bytes[at] === MINUS
  if (negative) at++
  const first = at
  let char = bytes[at]!
  if (char === ZERO) return negative ? NOT_TAKEN : at + 1
  while (char >= ZERO && char <= NINE) char = bytes[++at]!
  return at === first || at - first > maxDigits ? NOT_TAKEN : at
}

function scanList(bytes: Buffer, from: number): number {
  let at = from
  if (bytes[at++] !== OPEN_LIST) return NOT_TAKEN
  if (bytes[at] === CLOSE_LIST) return at + 1
  for (;;) {
    while (bytes[at] === SPACE) at++
    at = scanInteger(bytes, at, 18)
    if (at === NOT_TAKEN) return NOT_TAKEN
    const char = bytes[at++]
    if (char === CLOSE_LIST) return at
    if (char !== COMMA) return NOT_TAKEN
  }
}

function scanReal(bytes: Buffer, from: number): number {
  const start = bytes[from] === MINUS ? from + 1 : from
  let at = start
  let char = bytes[at]!
  if (char === ZERO) char = bytes[++at]!
  else while (char >= ZERO && char <= NINE) char = bytes[++at]!
  if (at === start) return NOT_TAKEN
  if (char === DOT) {
    const fraction = at + 1
    do char = bytes[++at]!
    while (char >= ZERO && char <= NINE)
    if (at === fraction) return NOT_TAKEN
  }
  return at - start > 15 ? NOT_TAKEN : at
}

function keepsRules(bytes: Buffer, layout: Layout, batch: RecordBatch): boolean {
  if ((seen & layout.required) !== layout.required) return false
  const together = seen & layout.together
  if (together !== 0 && together !== layout.together) return false
  for (const { field, values } of layout.oneOf) {
    const at = batch.count * STRIDE + field
    const start = batch.starts[at]!
    const length = batch.ends[at]! - start
    if (!values.some(value => value.length === length && matches(bytes, start, value))) return false
  }
  return true
}

function kindAt(bytes: Buffer, at: number): number {
  for (let kind = 0; kind < LAYOUTS.length; kind++) if (matches(bytes, at, LAYOUTS[kind]!.name)) return kind
  return NOT_TAKEN
}

function afterColon(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at] === SPACE) at++
  if (bytes[at++] !== COLON) return NOT_TAKEN
  while (bytes[at] === SPACE) at++
  return at
}

function afterLine(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at] === SPACE || bytes[at] === CR) at++
  return bytes[at] === LF ? at + 1 : NOT_TAKEN
}

function matches(bytes: Buffer, at: number, wanted: Buffer): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false
  return true
}
