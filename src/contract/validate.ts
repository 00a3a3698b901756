/** Checks one record: its shape against the JSON Schema of its kind, then the record rules in the contract's order. */

import type { ErrorObject } from 'ajv'
import { isExactObject, type ExactObject, type ExactValue } from './exact-value.js'
import * as shapes from './generated/v1.js'
import { CONTRACT, type Kind } from './kinds.js'
import { pointerTo, quote, type Problem } from './problem.js'
import { describe, shapeProblem } from './shape-problem.js'

/** A record whose shape is that of its kind. */
export type BenchRecord = { readonly kind: Kind; readonly fields: ExactObject }

export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem }

type ShapeCheck = { (data: unknown): boolean; errors?: ErrorObject[] | null }
type KnownKind = { readonly kind: Kind; readonly check: ShapeCheck }

const generated = shapes as unknown as Readonly<Record<string, ShapeCheck>>
const KINDS: ReadonlyMap<string, KnownKind> = new Map(
  CONTRACT.kinds.map(kind => {
    const check = generated[kind.kind]
    if (check === undefined) throw new Error(`no validator was generated for ${kind.kind}`)
    return [kind.kind, { kind, check }]
  }),
)

/** Shape only: kind, fields and types. @see contract section 3, "malformed" */
export function checkShape(value: ExactValue): Checked<BenchRecord> {
  if (!isExactObject(value)) return fail('', 'not_object', `must be an object, got ${describe(value)}`)
  const name = value['kind']
  if (name === undefined) return fail('/kind', 'missing_field', '/kind is missing')
  const known = typeof name === 'string' ? KINDS.get(name) : undefined
  if (known === undefined)
    return fail('/kind', 'unknown_kind', `/kind must be one of ${kindNames()}, got ${describe(name)}`)
  if (known.check(value)) return { ok: true, value: { kind: known.kind, fields: value } }
  const error = known.check.errors?.[0]
  if (error === undefined) throw new Error('a validator refused a record without saying why')
  return { ok: false, problem: shapeProblem(error, value) }
}

/** Shape of an envelope; its records are only known to be an array. */
export function checkEnvelopeShape(value: ExactValue): Problem | undefined {
  if (!isExactObject(value)) return { pointer: '', code: 'not_object', message: 'must be an object' }
  if (shapes.envelope(value)) return undefined
  const error = shapes.envelope.errors?.[0]
  if (error === undefined) throw new Error('the envelope validator refused without saying why')
  return shapeProblem(error, value)
}

/**
 * The first broken record rule: commit_sha, then allowed values, then all-or-none fields, then U+0000.
 * @param commitSha the envelope's commit; undefined where no commit is known yet
 * @see contract section 1, "Rules beyond types"
 */
export function brokenRule({ kind, fields }: BenchRecord, commitSha?: string): Problem | undefined {
  return (
    (commitSha === undefined ? undefined : commitMismatch(fields, commitSha)) ??
    notAllowed(kind, fields) ??
    partial(kind, fields) ??
    withNul(kind, fields)
  )
}

function commitMismatch(fields: ExactObject, commitSha: string): Problem | undefined {
  const sha = fields['commit_sha']
  return sha === commitSha ? undefined : commitMismatchProblem(sha, commitSha)
}

export function commitMismatchProblem(sha: ExactValue | undefined, commitSha: string): Problem {
  const message = `/commit_sha must be ${quote(commitSha)}, got ${describe(sha)}`
  return { pointer: '/commit_sha', code: 'commit_mismatch', message }
}

function notAllowed({ oneOf }: Kind, fields: ExactObject): Problem | undefined {
  for (const [name, values] of Object.entries(oneOf)) {
    const value = fields[name]
    if (typeof value === 'string' && values.includes(value)) continue
    const message = `/${name} must be one of ${values.join(', ')}, got ${describe(value)}`
    return { pointer: pointerTo(name), code: 'bad_value', message }
  }
  return undefined
}

function partial({ together }: Kind, fields: ExactObject): Problem | undefined {
  const absent = together.filter(name => fields[name] === undefined || fields[name] === null)
  if (absent.length === 0 || absent.length === together.length) return undefined
  const message = `${together.join(', ')} must be all present or all absent; missing: ${absent.join(', ')}`
  return { pointer: pointerTo(absent[0] ?? ''), code: 'partial_fields', message }
}

function withNul({ kind, fields: list }: Kind, fields: ExactObject): Problem | undefined {
  for (const { name } of list) {
    const value = fields[name]
    if (typeof value !== 'string' || !value.includes('\0')) continue
    const message = `/${name} of ${kind} holds U+0000, which Postgres text cannot hold`
    return { pointer: pointerTo(name), code: 'nul_in_string', message }
  }
  return undefined
}

function kindNames(): string {
  return [...KINDS.keys()].join(', ')
}

function fail(pointer: string, code: Problem['code'], message: string): Checked<never> {
  return { ok: false, problem: { pointer, code, message } }
}
