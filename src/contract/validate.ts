/**
 * Validates one record: first its shape against the JSON Schema of its kind, then the record rules in the contract's
 * order.
 */

import type { ErrorObject } from 'ajv'
import { isFullSha } from './commit.js'
import { isExactObject, type ExactObject, type ExactValue } from './exact-value.js'
import { pointerTo, quote, type Problem } from './problem.js'
import { envelope, recordShapes, type ShapeCheck } from './generated/validators.js'
import { CONTRACT, CONTRACTS, type Kind } from './kinds.js'
import { describe, describeAt, shapeProblem, type TokenAt } from './shape-problem.js'
import { ALL_VERSIONS, highestIn, versionsFitting, type VersionSet } from './version-set.js'

/** A record whose shape is valid in at least one contract version. */
export type BenchRecord = {
  /** The kind as the newest version defines it, with the fields of all versions. */
  readonly kind: Kind
  readonly fields: ExactObject
  /** The contract versions that the record fits. */
  readonly fits: VersionSet
}

export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem }

const KINDS: ReadonlyMap<string, Kind> = new Map(CONTRACT.kinds.map(kind => [kind.kind, kind]))

/** The newest version comes first, because most records have it. */
const NEWEST_FIRST = [...CONTRACTS.keys()].reverse()

export type ShapeOptions = {
  /** The only version that the record may have. Default: any. */
  readonly version?: number | undefined
  /** Versions that a record which fits none is expected to have, such as those of the lines before it. Default: all. */
  readonly expected?: VersionSet | undefined
  /** Returns a number of the record as it was written, for messages. */
  readonly tokenAt?: TokenAt | undefined
}

/**
 * Checks the shape of a record: its kind, fields and types.
 * @see contract section 3, "malformed"
 */
export function checkShape(value: ExactValue, options: ShapeOptions = {}): Checked<BenchRecord> {
  if (!isExactObject(value))
    return fail('', 'not_object', `must be an object, got ${describeAt('', { value, ...options })}`)
  const name = value['kind']
  if (name === undefined) return fail('/kind', 'missing_field', '/kind is missing')
  const kind = typeof name === 'string' ? KINDS.get(name) : undefined
  if (kind === undefined)
    return fail(
      '/kind',
      'unknown_kind',
      `/kind must be one of ${kindNames()}, got ${describeAt('/kind', { value, ...options })}`,
    )
  const fits = versionsFitting(kind, field => field in value)
  const versions = options.version === undefined ? NEWEST_FIRST : [options.version]
  if (versions.some(version => compiledShapeCheck(version, kind)(value)))
    return { ok: true, value: { kind, fields: value, fits } }
  const judge = options.version ?? chooseReportedVersion(fits, options.expected)
  return {
    ok: false,
    problem: shapeProblem(firstError(compiledShapeCheck(judge, kind), value), value, options.tokenAt),
  }
}

/**
 * The version whose shape is used to report what is wrong with a record that fits no version. It is the newest expected
 * version, preferably one whose added fields the record has, so that the reported field is wrong in every version.
 */
function chooseReportedVersion(fits: VersionSet, expected = ALL_VERSIONS): number {
  const likely = fits & expected
  return highestIn(likely === 0 ? expected : likely)
}

function compiledShapeCheck(version: number, { kind }: Kind): ShapeCheck {
  const check = recordShapes.get(version)?.[kind]
  if (check === undefined) throw new Error(`no validator was generated for ${kind} in version ${version}`)
  return check
}

function firstError(check: ShapeCheck, value: ExactValue): ErrorObject {
  check(value)
  const error = check.errors?.[0]
  if (error === undefined) throw new Error('a validator refused a value without saying why')
  return error
}

/** Checks the shape of an envelope. Of its records it only checks that they are an array. */
export function checkEnvelopeShape(value: ExactValue): Problem | undefined {
  if (!isExactObject(value)) return { pointer: '', code: 'not_object', message: 'must be an object' }
  return envelope(value) ? undefined : shapeProblem(firstError(envelope, value), value)
}

/**
 * The first record rule that a record breaks, in this order: commit_sha, allowed values, all-or-none fields, U+0000.
 * @param commitSha the envelope's commit; undefined when no commit is known yet
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

/**
 * Whether a record of a file may name a commit.
 * @param commitSha the commit that all records must name; undefined when no commit is known yet
 */
export function commitProblem(sha: string, commitSha: string | undefined): Problem | undefined {
  if (commitSha !== undefined && sha !== commitSha) return commitMismatchProblem(sha, commitSha)
  if (isFullSha(sha)) return undefined
  const message = `/commit_sha must be 40 lowercase hex digits, got ${quote(sha)}`
  return { pointer: '/commit_sha', code: 'not_full_sha', message }
}

function notAllowed({ oneOf }: Kind, fields: ExactObject): Problem | undefined {
  for (const [name, values] of Object.entries(oneOf)) {
    const value = fields[name]
    // A field of a later version is absent here. The shape check has verified that the record's version allows that.
    if (value === undefined) continue
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
