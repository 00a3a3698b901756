/** Checks an envelope like a path A server of a given contract version, in the order that the contract defines. */

import type { Commit, RunMeta } from './commit.js'
import { isExactObject, type ExactObject, type ExactValue } from './exact-value.js'
import { type Problem } from './problem.js'
import { SCHEMA_VERSION } from './kinds.js'
import { brokenRule, checkEnvelopeShape, checkShape, type BenchRecord } from './validate.js'

type Envelope = { readonly runMeta: RunMeta; readonly commit: Commit; readonly records: readonly BenchRecord[] }

export type EnvelopeCheck =
  | { readonly ok: true; readonly envelope: Envelope }
  | { readonly ok: false; readonly error: 'malformed'; readonly message: string }
  | { readonly ok: false; readonly error: 'schema_version_too_new'; readonly expected: number; readonly got: number }
  | { readonly ok: false; readonly error: 'record'; readonly recordIndex: number; readonly message: string }

/**
 * Validates the shape of the whole envelope, then the schema version, then the rules of each record. Reports the first
 * problem.
 * @param value a body that was parsed as JSON
 * @param version the contract version of the server
 * @see contract section 3
 */
export function checkEnvelope(value: ExactValue, version = SCHEMA_VERSION): EnvelopeCheck {
  const problem = checkEnvelopeShape(value)
  if (problem !== undefined || !isExactObject(value)) return malformed(problem)
  const { run_meta: runMeta, commit, records } = value as EnvelopeFields
  const shaped: BenchRecord[] = []
  for (const [index, record] of records.entries()) {
    const checked = checkShape(record, { version })
    if (!checked.ok) return malformed(checked.problem, `/records/${index}`)
    shaped.push(checked.value)
  }
  // The run metadata may contain U+0000, because it is not stored.
  const nul = Object.values(commit).some(value => typeof value === 'string' && value.includes('\0'))
  if (nul) return { ok: false, error: 'malformed', message: 'a string holds U+0000, which Postgres text cannot hold' }
  return (
    wrongVersion(runMeta.schema_version, version) ??
    brokenRecord(shaped, commit.sha) ??
    accepted(runMeta, commit, shaped)
  )
}

type EnvelopeFields = ExactObject & {
  readonly run_meta: { benchmark_id: string; started_at: string; schema_version: bigint }
  readonly commit: ExactObject & Commit
  readonly records: readonly ExactValue[]
}

function accepted(runMeta: EnvelopeFields['run_meta'], commit: Commit, records: readonly BenchRecord[]): EnvelopeCheck {
  const meta = { ...runMeta, schema_version: Number(runMeta.schema_version) }
  return { ok: true, envelope: { runMeta: meta, commit, records } }
}

function wrongVersion(version: bigint, expected: number): EnvelopeCheck | undefined {
  const got = Number(version)
  if (got === expected) return undefined
  if (got > expected) return { ok: false, error: 'schema_version_too_new', expected, got }
  return { ok: false, error: 'malformed', message: `/run_meta/schema_version must be ${expected}, got ${got}` }
}

function brokenRecord(records: readonly BenchRecord[], sha: string): EnvelopeCheck | undefined {
  for (const [recordIndex, record] of records.entries()) {
    const problem = brokenRule(record, sha)
    if (problem !== undefined) return { ok: false, error: 'record', recordIndex, message: problem.message }
  }
  return undefined
}

function malformed(problem: Problem | undefined, where = ''): EnvelopeCheck {
  const message = problem === undefined ? 'must be an object' : `${where}${where && ': '}${problem.message}`
  return { ok: false, error: 'malformed', message }
}
