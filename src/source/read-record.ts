/** The exact reader of one line: every valid record that the fast reader leaves, and the reason for every other line. */

import { realText, type ExactValue } from '../contract/exact-value.js'
import { CONTRACT } from '../contract/kinds.js'
import type { Problem } from '../contract/problem.js'
import { brokenRule, checkShape, type BenchRecord, type ShapeOptions } from '../contract/validate.js'
import { readBody, type BodyResult } from './body.js'
import { MAX_BODY_DEPTH } from './exact-json.js'
import { ABSENT, STRIDE, type LinePlace, type RecordBatch } from './record-batch.js'
import type { RejectionCode } from './rejection.js'

/** A record sits two levels deep in an envelope, and path A's server counts those. */
const MAX_LINE_DEPTH = MAX_BODY_DEPTH - 2

type LineProblem = { readonly pointer: string; readonly code: RejectionCode; readonly message: string }

export type ExactRecord =
  | { readonly ok: true; readonly record: BenchRecord; readonly inexact: string | undefined }
  | { readonly ok: false; readonly problem: LineProblem }

/** @param line the bytes of one line without its line feed @returns the record, checked whole, or what is wrong */
export function readRecord(line: Buffer, options: ShapeOptions = {}): ExactRecord {
  const reals: string[] = []
  const onReal = (token: string): void => void reals.push(token)
  const parsed: BodyResult = readBody(line, { maxDepth: MAX_LINE_DEPTH, onReal })
  if (!parsed.ok) return refuse({ pointer: '', code: parsed.code, message: `the line ${parsed.message}` })
  const shape = checkShape(parsed.value, options)
  if (!shape.ok) return refuse(shape.problem)
  const problem = brokenRule(shape.value)
  return problem === undefined
    ? { ok: true, record: shape.value, inexact: inexactToken(shape.value, reals) }
    : refuse(problem)
}

/** Adds a record that the exact reader took to a batch. */
export function addRecord(batch: RecordBatch, { kind, fields, fits }: BenchRecord, place: LinePlace): void {
  const base = batch.nextRow() * STRIDE
  batch.starts.fill(ABSENT, base, base + STRIDE)
  for (const [index, { name, type }] of kind.fields.entries()) {
    const value = fields[name]
    if (value === undefined || value === null) continue
    if (type === 'f64') batch.reals[batch.count] = Number(value)
    batch.setText(index, textOf(value))
  }
  batch.commitSide(CONTRACT.kinds.indexOf(kind), place, fits)
}

function textOf(value: ExactValue): string {
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'number' ? realText(value) : (value as string | bigint).toString()
}

const MAX_SIGNIFICAND = 2n ** 53n
const MAX_DIGITS = String(MAX_SIGNIFICAND).length
const MAX_POWER = 22

/** The largest integer token that is read as an integer, and so converted to a double exactly. */
const MAX_INTEGER = 2n ** 64n - 1n
const MAX_INTEGER_DIGITS = String(MAX_INTEGER).length

/**
 * The token of a record's f64 field if path A's server may read it one unit off: its parser is exact only for integer
 * tokens within an unsigned 64-bit integer, and for others up to 2^53 of significand and powers of ten up to ±22.
 * @see promise 3
 */
function inexactToken({ kind, fields }: BenchRecord, reals: readonly string[]): string | undefined {
  const field = kind.fields.find(({ type }) => type === 'f64')
  if (field === undefined) return undefined
  const value = fields[field.name]
  // A record has one f64; other real tokens stood under keys that were given again.
  const token = typeof value === 'bigint' ? String(value) : reals.findLast(token => Object.is(Number(token), value))
  return token !== undefined && mayBeInexact(token) ? token : undefined
}

/** @param token a JSON number */
export function mayBeInexact(token: string): boolean {
  // Digits are counted before they are read: a line may hold millions of them, for which BigInt takes seconds.
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
