/**
 * The exact reader of single lines. It handles every line that the fast reader does not accept, and reports why a line
 * is invalid.
 */

import { realText, type ExactValue } from '../contract/exact-value.js'
import { type Problem } from '../contract/problem.js'
import { CONTRACT } from '../contract/kinds.js'
import { valueAtPointer } from '../contract/shape-problem.js'
import { brokenRule, checkShape, type BenchRecord, type ShapeOptions } from '../contract/validate.js'
import { readBody, type BodyResult, MAX_BODY_DEPTH } from './exact-json.js'
import { ABSENT, STRIDE, type LinePosition, type RecordBatch } from './record-batch.js'
import type { RejectionCode } from './rejection.js'

/** Records are two levels deep in an envelope, and the server of path A counts those levels. */
const MAX_LINE_DEPTH = MAX_BODY_DEPTH - 2

type LineProblem = { readonly pointer: string; readonly code: RejectionCode; readonly message: string }

export type ExactRecord =
  | { readonly ok: true; readonly record: BenchRecord; readonly inexact: string | undefined }
  | { readonly ok: false; readonly problem: LineProblem }

/**
 * Parses and validates one line.
 * @param line the bytes of the line without its line feed
 * @returns the record, or the problem
 */
export function readRecord(line: Buffer, options: ShapeOptions = {}): ExactRecord {
  const reals: string[] = []
  const onReal = (token: string): void => void reals.push(token)
  const parsed: BodyResult = readBody(line, { maxDepth: MAX_LINE_DEPTH, onReal })
  if (!parsed.ok) return refuse({ pointer: '', code: parsed.code, message: `the line ${parsed.message}` })
  const shape = checkShape(parsed.value, { ...options, tokenAt: pointer => tokenIn(line, pointer) })
  if (!shape.ok) return refuse(shape.problem)
  const problem = brokenRule(shape.value)
  return problem === undefined
    ? { ok: true, record: shape.value, inexact: inexactToken(shape.value, reals) }
    : refuse(problem)
}

/** A number with a fraction or an exponent as it is written in a valid line. The line is read again, because few messages need it. */
function tokenIn(line: Buffer, pointer: string): string | undefined {
  const parsed = readBody(line, { maxDepth: MAX_LINE_DEPTH, areRealsText: true })
  const token = parsed.ok ? valueAtPointer(parsed.value, pointer) : undefined
  return typeof token === 'string' ? token : undefined
}

/** A record whose long lists are not in its fields. */
export type ListedRecord = BenchRecord & {
  /** The integers of a list by the name of its field, as text separated by commas. */
  readonly lists?: ReadonlyMap<string, Buffer>
}

/** Adds a record from the exact reader to a batch. */
export function addRecord(batch: RecordBatch, { kind, fields, fits, lists }: ListedRecord, place: LinePosition): void {
  const base = batch.nextRow() * STRIDE
  batch.starts.fill(ABSENT, base, base + STRIDE)
  for (const [index, { name, type }] of kind.fields.entries()) {
    const value = fields[name]
    if (value === undefined || value === null) continue
    if (type === 'f64') batch.reals[batch.count] = Number(value)
    batch.setText(index, lists?.get(name) ?? valueText(value))
  }
  batch.commitSide(CONTRACT.kinds.indexOf(kind), place, fits)
}

function valueText(value: ExactValue): string {
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'number' ? realText(value) : (value as string | bigint).toString()
}

const MAX_SIGNIFICAND = 2n ** 53n
const MAX_DIGITS = String(MAX_SIGNIFICAND).length
const MAX_POWER = 22

/**
 * The largest integer token that the path A server's parser reads as an integer and therefore converts to a double
 * exactly.
 */
const MAX_INTEGER = 2n ** 64n - 1n
const MAX_INTEGER_DIGITS = String(MAX_INTEGER).length

/**
 * The token of a record's f64 field if the path A server may read it as a neighbouring double; otherwise undefined. Its
 * parser is exact only for integer tokens that fit in 64 unsigned bits, and for other tokens with a significand up to
 * 2^53 and a power of ten up to ±22.
 * @see promise 3
 */
function inexactToken({ kind, fields }: BenchRecord, reals: readonly string[]): string | undefined {
  const field = kind.fields.find(({ type }) => type === 'f64')
  if (field === undefined) return undefined
  const value = fields[field.name]
  // A record has one f64 field. Any other real tokens belong to earlier values of a repeated key.
  const token = typeof value === 'bigint' ? String(value) : reals.findLast(token => Object.is(Number(token), value))
  return token !== undefined && mayBeInexact(token) ? token : undefined
}

/**
 * Whether the path A server may read a number inexactly.
 * @param token a JSON number
 */
export function mayBeInexact(token: string): boolean {
  // The digits are counted first, because BigInt takes seconds for a line with millions of digits.
  const [, integer] = /^-?(\d+)$/.exec(token) ?? []
  if (integer !== undefined) return integer.length > MAX_INTEGER_DIGITS || BigInt(integer) > MAX_INTEGER
  const [, whole = '', fraction = '', exponent = '0'] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token) ?? []
  const power = Number(exponent) - fraction.length
  const digits = (whole + fraction).replace(/^0+(?=\d)/, '')
  return digits.length > MAX_DIGITS || BigInt(digits) > MAX_SIGNIFICAND || Math.abs(power) > MAX_POWER
}

function refuse(problem: LineProblem | Problem): ExactRecord {
  return { ok: false, problem }
}
