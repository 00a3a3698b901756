/**
 * The fast reader. It accepts a line only if a simple scan of its bytes proves that it is a valid record about which
 * JSON parsers cannot
 * disagree. All other lines, valid or not, are left to the exact reader.
 * A line is accepted if its object starts with `kind`; if it has each known key at most once, without escapes; if its
 * strings have no
 * escapes or control characters; if its integers have at most 18 digits (i32: 9) and are not `-0`; if its reals have no
 * exponent and at
 * most 15 digits; if only spaces separate tokens; and if all required fields are present and every record rule holds.
 */

import { ALL_VERSIONS, type VersionSet } from '../contract/version-set.js'
import { endOfDigits, endOfPlain, startsWith, toToken, type Token } from '../contract/words.js'
import { ABSENT, STRIDE, type LinePosition, type RecordBatch } from './record-batch.js'
import { LAYOUTS, VALUE, type Layout } from './scan-layout.js'

const SPACE = 0x20
const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const COLON = 0x3a
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const LETTER_N = 0x6e
const OPEN = 0x7b
const CLOSE = 0x7d
const LF = 0x0a
const CR = 0x0d

/** Index of `commit_sha`, the first field of every kind. */
const COMMIT_FIELD = 0
const KIND_KEY = Buffer.from('"kind"')
const NULL = Buffer.from('null')

/** Returned for a line that is left to the exact reader. */
export const NOT_SCANNED = -1

/**
 * Scans the line at `place` and, if it is accepted, adds it to `batch` as a row.
 * @param bytes valid UTF-8 with a line feed somewhere after the start of the line; nothing after that line feed is
 * scanned
 * @param ending checks the bytes after the record; returns where the next record starts, or NOT_TAKEN
 * @returns where the next line starts, or NOT_TAKEN
 */
export function scanRecord(bytes: Buffer, batch: RecordBatch, place: LinePosition, ending = afterLine): number {
  seen = 0
  const known = headAt(batch.blockView, place.start)
  const kind = known === NOT_SCANNED ? kindOfLine(bytes, place.start) : known
  if (kind === NOT_SCANNED) return NOT_SCANNED
  const from = known === NOT_SCANNED ? afterKind : takeHead(batch, kind, place.start)
  const layout = LAYOUTS[kind]!
  const end = scanFields(bytes, from, layout, batch)
  if (end === NOT_SCANNED || !keepsRules(bytes, layout, batch)) return NOT_SCANNED
  const fits = layout.hasVersions ? fittingVersions(layout) : ALL_VERSIONS
  if (fits === 0) return NOT_SCANNED
  const next = ending(bytes, end)
  if (next === NOT_SCANNED) return NOT_SCANNED
  if (known === NOT_SCANNED) learnHead(bytes, batch, { kind, start: place.start })
  batch.commit(kind, place, fits)
  return next
}

/** The contract versions that fit the fields of the row being scanned. */
function fittingVersions({ versions }: Layout): VersionSet {
  let fits = 0
  for (const { bit, required, unknown } of versions)
    if ((seen & required) === required && (seen & unknown) === 0) fits |= bit
  return fits
}

/** Bit mask of the fields of the current row that have a value. */
let seen = 0
/** The first field of the current row, if the row was scanned from its first byte. */
let firstField = 0

/**
 * The beginning of a line up to and including its commit, which is usually the same for all lines of a kind in a file.
 */
type Head = { readonly token: Token; readonly shaStart: number; readonly shaEnd: number }

/**
 * Longer heads are not cached, because heads outlive their file and a server runs for a long time. Emitters write
 * shorter ones.
 */
const MAX_HEAD_BYTES = 1024

/**
 * For each kind, the head of the last line that was scanned from its first byte. A line with the same head need not be
 * scanned again
 * up to there.
 */
const heads: (Head | undefined)[] = LAYOUTS.map(() => undefined)

/** @returns the kind of the line, or NOT_TAKEN when its head is not cached */
function headAt(view: DataView, at: number): number {
  for (let kind = 0; kind < heads.length; kind++) {
    const head = heads[kind]
    if (head !== undefined && startsWith(view, at, head.token)) return kind
  }
  return NOT_SCANNED
}

function takeHead(batch: RecordBatch, kind: number, start: number): number {
  const { token, shaStart, shaEnd } = heads[kind]!
  const at = batch.nextRow() * STRIDE + COMMIT_FIELD
  batch.starts[at] = start + shaStart
  batch.ends[at] = start + shaEnd
  seen = 1 << COMMIT_FIELD
  return start + token.length
}

function learnHead(bytes: Buffer, batch: RecordBatch, { kind, start }: { kind: number; start: number }): void {
  if (firstField !== COMMIT_FIELD) return
  const at = batch.count * STRIDE + COMMIT_FIELD
  const shaStart = batch.starts[at]!
  const shaEnd = batch.ends[at]!
  if (shaEnd - start > MAX_HEAD_BYTES) return
  const token = toToken(bytes.subarray(start, shaEnd + 1))
  heads[kind] = { token, shaStart: shaStart - start, shaEnd: shaEnd - start }
}

/** Offset after the kind that `kindOfLine` found. */
let afterKind = 0

function kindOfLine(bytes: Buffer, start: number): number {
  let at = start
  if (bytes[at++] !== OPEN) return NOT_SCANNED
  while (bytes[at] === SPACE) at++
  if (!matches(bytes, at, KIND_KEY)) return NOT_SCANNED
  at = afterColon(bytes, at + KIND_KEY.length)
  const kind = at === NOT_SCANNED ? NOT_SCANNED : kindAt(bytes, at)
  if (kind !== NOT_SCANNED) afterKind = at + LAYOUTS[kind]!.name.length
  return kind
}

/**
 * Scans `,"key":value` pairs up to `}` and adds the fields that have a value to `seen`.
 * @returns the offset after `}`, or NOT_TAKEN
 */
function scanFields(bytes: Buffer, from: number, layout: Layout, batch: RecordBatch): number {
  const { keys, openings, types, optional } = layout
  const base = batch.nextRow() * STRIDE
  const { starts, ends, blockView: view } = batch
  for (let i = base + (seen === 0 ? 0 : 1); i < base + STRIDE; i++) starts[i] = ABSENT
  const count = keys.length
  let met = seen
  let field = seen === 0 ? 0 : 1
  let at = from
  for (;;) {
    // Emitters usually write the fields in column order, omit absent ones and write no spaces.
    let next = field
    while (next < count && !startsWith(view, at, openings[next]!)) next++
    const plain = next < count
    if (plain) {
      field = next
      at += openings[field]!.length
    } else {
      while (bytes[at] === SPACE) at++
      const char = bytes[at++]
      if (char === CLOSE) return at
      if (char !== COMMA) return NOT_SCANNED
      while (bytes[at] === SPACE) at++
      field = fieldAt(bytes, at, keys)
      if (field === NOT_SCANNED) return NOT_SCANNED
      at = afterColon(bytes, at + keys[field]!.length)
      if (at === NOT_SCANNED) return NOT_SCANNED
    }
    const bit = 1 << field
    if (met === 0) firstField = field
    else if ((met & bit) !== 0) return NOT_SCANNED
    met |= bit
    const type = types[field]!
    const wrapped = type === VALUE.str || type === VALUE.list
    const opened = plain && wrapped
    if (!opened && bytes[at] === LETTER_N) {
      if ((optional & bit) === 0 || !matches(bytes, at, NULL)) return NOT_SCANNED
      at += NULL.length
    } else {
      if (wrapped && !opened && bytes[at++] !== (type === VALUE.str ? QUOTE : OPEN_LIST)) return NOT_SCANNED
      const end = scanValue(bytes, view, at, type)
      if (end === NOT_SCANNED) return NOT_SCANNED
      starts[base + field] = at
      ends[base + field] = end
      if (type === VALUE.real) batch.reals[batch.count] = Number(bytes.toString('latin1', at, end))
      seen |= bit
      at = wrapped ? end + 1 : end
    }
    field++
  }
}

/** @returns where the value ends, which for a string or list is the offset of its closing character; or NOT_TAKEN */
function scanValue(bytes: Buffer, view: DataView, at: number, type: number): number {
  switch (type) {
    case VALUE.str: {
      const end = endOfPlain(view, at)
      return bytes[end] === QUOTE ? end : NOT_SCANNED
    }
    case VALUE.i32:
      return scanInteger(bytes, view, at, 9)
    case VALUE.i64:
      return scanInteger(bytes, view, at, 18)
    case VALUE.list:
      return scanList(bytes, view, at)
    default:
      return scanReal(bytes, view, at)
  }
}

function scanInteger(bytes: Buffer, view: DataView, from: number, maxDigits: number): number {
  const first = bytes[from] === MINUS ? from + 1 : from
  if (bytes[first] === ZERO) return first === from ? from + 1 : NOT_SCANNED
  const end = endOfDigits(view, first)
  return end === first || end - first > maxDigits ? NOT_SCANNED : end
}

function scanList(bytes: Buffer, view: DataView, from: number): number {
  let at = from
  if (bytes[at] === CLOSE_LIST) return at
  for (;;) {
    while (bytes[at] === SPACE) at++
    at = scanInteger(bytes, view, at, 18)
    if (at === NOT_SCANNED || bytes[at] === CLOSE_LIST) return at
    if (bytes[at++] !== COMMA) return NOT_SCANNED
  }
}

function scanReal(bytes: Buffer, view: DataView, from: number): number {
  const start = bytes[from] === MINUS ? from + 1 : from
  const whole = bytes[start] === ZERO ? start + 1 : endOfDigits(view, start)
  const end = bytes[whole] === DOT ? endOfDigits(view, whole + 1) : whole
  if (whole === start || end === whole + 1) return NOT_SCANNED
  return end - start > 15 ? NOT_SCANNED : end
}

function keepsRules(bytes: Buffer, layout: Layout, batch: RecordBatch): boolean {
  if ((seen & layout.required) !== layout.required) return false
  const together = seen & layout.together
  if (together !== 0 && together !== layout.together) return false
  for (const { field, values } of layout.oneOf) {
    const at = batch.count * STRIDE + field
    const start = batch.starts[at]!
    // A later version than that of the record added this field.
    if (start === ABSENT) continue
    const length = batch.ends[at]! - start
    if (!isOneOf(bytes, start, { length, values })) return false
  }
  return true
}

type Choice = { readonly length: number; readonly values: readonly Buffer[] }

function isOneOf(bytes: Buffer, start: number, { length, values }: Choice): boolean {
  for (const value of values) if (value.length === length && matches(bytes, start, value)) return true
  return false
}

function fieldAt(bytes: Buffer, at: number, keys: readonly Buffer[]): number {
  for (let field = 0; field < keys.length; field++) if (matches(bytes, at, keys[field]!)) return field
  return NOT_SCANNED
}

function kindAt(bytes: Buffer, at: number): number {
  for (let kind = 0; kind < LAYOUTS.length; kind++) if (matches(bytes, at, LAYOUTS[kind]!.name)) return kind
  return NOT_SCANNED
}

function afterColon(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at] === SPACE) at++
  if (bytes[at++] !== COLON) return NOT_SCANNED
  while (bytes[at] === SPACE) at++
  return at
}

function afterLine(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at] === SPACE || bytes[at] === CR) at++
  return bytes[at] === LF ? at + 1 : NOT_SCANNED
}

function matches(bytes: Buffer, at: number, wanted: Buffer): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false
  return true
}
