/** Finds values that are valid but probably wrong. */

import { CONTRACT } from '../contract/kinds.js'
import { pointerTo } from '../contract/problem.js'
import { endOfDigits } from '../contract/words.js'
import { STRIDE, type RecordBatch } from './record-batch.js'
import type { Warning, WarningCode } from './rejection.js'

const SPACE = 0x20
const COMMA = 0x2c
const MINUS = 0x2d
const ZERO = 0x30

const VALUE_NAMES = ['value_ns', 'value_bytes']
const RUNS_NAME = 'all_runtimes_ns'

/** For each kind, the field that holds the measured value, and the field that holds its runs, or -1. */
const FIELDS: readonly Cells[] = CONTRACT.kinds.map(({ fields }) => ({
  value: fields.findIndex(({ name }) => VALUE_NAMES.includes(name)),
  runs: fields.findIndex(({ name }) => name === RUNS_NAME),
}))

type Finding = Pick<Warning, 'line' | 'pointer' | 'message'> & { records: number }

/** Collects one finding per code, with the number of records that have it. */
export class ValueCheck {
  readonly #findings = new Map<WarningCode, Finding>()

  check(batch: RecordBatch): void {
    const { starts, ends, kinds, count } = batch
    for (let row = 0; row < count; row++) {
      const fields = FIELDS[kinds[row]!]!
      const value = row * STRIDE + fields.value
      const view = batch.viewOf(row)
      // Numbers have no leading zeros, so a positive one starts with 1 to 9.
      const isPositive = view.getUint8(starts[value]!) > ZERO
      if (!isPositive) this.#note('non_positive_value', batch, row)
      if (fields.runs === -1) continue
      const runs = row * STRIDE + fields.runs
      if (starts[runs] === ends[runs]) this.#note('no_runs', batch, row)
      else if (isPositive && isOutside(view, batch, { value, runs })) this.#note('value_outside_runs', batch, row)
    }
  }

  /** The findings, each with its first record and the number of such records. */
  warnings(source: string): readonly Warning[] {
    return [...this.#findings].map(([code, { line, pointer, message, records }]) => {
      const others = records === 1 ? '' : `; this is the first of ${records} such records`
      return { source, line, pointer, code, message: `${message}${others}` }
    })
  }

  #note(code: WarningCode, batch: RecordBatch, row: number): void {
    const known = this.#findings.get(code)
    if (known !== undefined) known.records++
    else this.#findings.set(code, { line: batch.lines[row]!, ...describeFinding(code, batch, row), records: 1 })
  }
}

/** Indexes of fields in a record, or of their offsets in a batch. */
type Cells = { readonly value: number; readonly runs: number }

/**
 * Whether a positive value is less than all of its runs or greater than all of them. It compares digits, because converting
 * tokens to numbers would take longer.
 */
function isOutside(view: DataView, { starts, ends }: RecordBatch, { value, runs }: Cells): boolean {
  const start = starts[value]!
  const length = ends[value]! - start
  const end = ends[runs]!
  let isAbove = false
  let isBelow = false
  for (let at = starts[runs]!; at < end; at++) {
    while (view.getUint8(at) === SPACE) at++
    let order = at + length > end ? UNLIKE : compareDigits(view, start, at, length)
    if (order !== UNLIKE && (at + length === end || view.getUint8(at + length) === COMMA)) at += length
    else {
      const isNegative = view.getUint8(at) === MINUS
      const run = at
      at = Math.min(endOfDigits(view, isNegative ? run + 1 : run), end)
      order = isNegative ? 1 : length - (at - run)
    }
    if (order === 0) return false
    if (order > 0) isAbove = true
    else isBelow = true
    if (isAbove && isBelow) return false
  }
  return true
}

/** Returned when the other bytes are not digits only. No difference of digits is that large. */
const UNLIKE = 0x7fffffff

/** Compares digits with other bytes, four at a time. The last four may overlap those before. */
function compareDigits(view: DataView, digits: number, other: number, length: number): number {
  const last = length - 4
  if (last < 0) return compareFewDigits(view, digits, other, length)
  let order = 0
  for (let i = 0; ; i = i + 4 > last ? last : i + 4) {
    const word = view.getInt32(other + i)
    // Only digits are 0x3n among the characters of a list.
    if ((word & 0xf0f0f0f0) !== 0x30303030) return UNLIKE
    if (order === 0) order = view.getInt32(digits + i) - word
    if (i === last) return order
  }
}

function compareFewDigits(view: DataView, digits: number, other: number, length: number): number {
  let order = 0
  for (let i = 0; i < length; i++) {
    const byte = view.getUint8(other + i)
    if (byte < ZERO) return UNLIKE
    if (order === 0) order = view.getUint8(digits + i) - byte
  }
  return order
}

function describeFinding(code: WarningCode, batch: RecordBatch, row: number): Pick<Warning, 'pointer' | 'message'> {
  if (code === 'no_runs') return { pointer: pointerTo(RUNS_NAME), message: `/${RUNS_NAME} is empty` }
  const field = FIELDS[batch.kinds[row]!]!.value
  const { name } = batch.kindOf(row).fields[field]!
  const wrong = code === 'non_positive_value' ? 'not greater than 0' : `outside the range of its /${RUNS_NAME}`
  return { pointer: pointerTo(name), message: `/${name} is ${batch.text(row, field)}, which is ${wrong}` }
}
