/** Checks an envelope in its bytes without building its tree. The result equals that of `checkEnvelope` on the parsed tree. */

import { isUtf8 } from 'node:buffer'
import { COMMIT_FIELDS, type Commit, type RunMeta } from '../../contract/commit.js'
import { checkEnvelope, type EnvelopeCheck } from '../../contract/envelope.js'
import type { ExactValue } from '../../contract/exact-value.js'
import { brokenRule, type BenchRecord } from '../../contract/validate.js'
import { MAX_BODY_DEPTH } from '../../source/exact-json.js'
import { inspectRecords, type RecordPosition, type RecordsInspection } from './inspect-records.js'
import { readFlatObject, walkMembers } from './members.js'
import { INVALID, skipSpace } from './skip-value.js'
import { RecordWalk } from './walk-records.js'

export type Refusal = Exclude<EnvelopeCheck, { readonly ok: true }>

/** A valid envelope whose records have not been read out of the body yet. */
export type CheckedBody = {
  readonly ok: true
  readonly runMeta: RunMeta
  readonly commit: Commit
  /** Offset after the `[` of the records. */
  readonly from: number
  readonly total: number
  /** Number of records per kind name. Kinds without records are absent. */
  readonly counts: ReadonlyMap<string, number>
}

const HEADS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['run_meta', new Set(['benchmark_id', 'schema_version', 'started_at'])],
  ['commit', new Set<string>(COMMIT_FIELDS)],
])

/** The value of an envelope's key is one level deeper than the envelope itself. */
const VALUE_DEPTH = MAX_BODY_DEPTH - 1

/**
 * @param bytes the body, followed by one line feed that the server appended
 * @param version the contract version of the server
 * @see contract section 3
 */
export async function checkBody(bytes: Buffer, version: number): Promise<CheckedBody | Refusal> {
  if (!isUtf8(bytes)) return malformed('the body is not valid UTF-8')
  const parts = await readParts(bytes, version)
  return 'ok' in parts ? parts : await decide(bytes, parts, version)
}

type Parts = { readonly head: Readonly<Record<string, ExactValue>>; readonly records: RecordsInspection | undefined }

/** Reads all members of the envelope. When a key is repeated, the last value counts; earlier values must still be valid JSON. */
async function readParts(bytes: Buffer, version: number): Promise<Parts | Refusal> {
  const head: Record<string, ExactValue> = {}
  let records: RecordsInspection | undefined
  const members = walkMembers(bytes, skipSpace(bytes, 0))
  let step = members.next()
  while (step.done !== true) {
    const { key, start } = step.value
    const names = HEADS.get(key)
    let end = INVALID
    if (key === 'records') {
      records = await inspectRecords(bytes, { start, maxDepth: VALUE_DEPTH, version })
      end = records.end
    } else if (names !== undefined) {
      const read = readFlatObject(bytes, start, { names, maxDepth: VALUE_DEPTH })
      if (read !== undefined) [head[key], end] = [read.value, read.end]
    } else return malformed('the body is not JSON, or has a field that an envelope does not have')
    step = members.next(end)
  }
  const atEnd = step.value !== INVALID && skipSpace(bytes, step.value) >= bytes.length
  return atEnd ? { head, records } : malformed('the body is not a JSON object')
}

/** Decides about a body that is valid JSON: checks its shape, then its schema version, then its records in order. */
async function decide(bytes: Buffer, { head, records }: Parts, version: number): Promise<CheckedBody | Refusal> {
  // checkEnvelope is called without the records, so that the rules of an envelope are written only once.
  const list = records === undefined ? {} : { records: records.from === undefined ? null : [] }
  const outer = checkEnvelope({ ...head, ...list }, version)
  if (!outer.ok && outer.error === 'malformed') return outer
  const misshapen = records?.misshapen
  if (misshapen !== undefined) return malformed(`/records/${misshapen.index}: ${misshapen.message}`)
  if (!outer.ok) return outer
  const { commit, runMeta } = outer.envelope
  if (records?.from === undefined) throw new Error('an envelope without records passed for a whole one')
  const wrong = firstWrong(records, commit.sha)
  if (wrong !== undefined) return recordRefusal(await recordAt(bytes, wrong, version), wrong, commit.sha)
  return { ok: true, runMeta, commit, from: records.from, total: records.total, counts: records.counts }
}

function firstWrong({ broken, first, firstSha, otherSha }: RecordsInspection, sha: string): RecordPosition | undefined {
  const mismatch = firstSha.equals(Buffer.from(sha)) ? otherSha : first
  if (broken === undefined || mismatch === undefined) return broken ?? mismatch
  return broken.index < mismatch.index ? broken : mismatch
}

/** Reads again a record that broke a rule in the first pass. */
async function recordAt(bytes: Buffer, { index, start }: RecordPosition, version: number): Promise<BenchRecord> {
  const element = await new RecordWalk(bytes, start, version).readExactly()
  if (element?.kind !== 'read') throw new Error(`record ${index} had a valid shape in the first pass only`)
  return element.record
}

function recordRefusal(record: BenchRecord, { index }: RecordPosition, sha: string): Refusal {
  const problem = brokenRule(record, sha)
  if (problem === undefined) throw new Error(`record ${index} broke a rule in the first pass only`)
  return { ok: false, error: 'record', recordIndex: index, message: problem.message }
}

function malformed(message: string): Refusal {
  return { ok: false, error: 'malformed', message }
}
