/** What the contract says of a body, without building it: the same as checkEnvelope says of the whole tree. */

import { isUtf8 } from 'node:buffer'
import { COMMIT_FIELDS, type Commit } from '../../contract/commit.js'
import { checkEnvelope, type EnvelopeCheck } from '../../contract/envelope.js'
import type { ExactValue } from '../../contract/exact-value.js'
import { brokenRule, checkShape } from '../../contract/validate.js'
import { readBody } from '../../source/body.js'
import { MAX_BODY_DEPTH } from '../../source/exact-json.js'
import { inspectRecords, type Place, type RecordsInspection } from './inspect-records.js'
import { readFlatObject, walkMembers } from './members.js'
import { INVALID, skipSpace, skipValue } from './skip-value.js'

export type Refusal = Exclude<EnvelopeCheck, { readonly ok: true }>

/** An envelope that keeps every rule; its records still stand in the body. */
export type CheckedBody = {
  readonly ok: true
  readonly commit: Commit
  /** The place after the `[` of the records. */
  readonly from: number
  readonly total: number
  /** Records of each kind, by kind name, kinds without records left out. */
  readonly counts: ReadonlyMap<string, number>
}

const HEADS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['run_meta', new Set(['benchmark_id', 'schema_version', 'started_at'])],
  ['commit', new Set<string>(COMMIT_FIELDS)],
])

/** What stands under a key of the envelope is one level down. */
const VALUE_DEPTH = MAX_BODY_DEPTH - 1

/**
 * @param bytes the body, and a line feed of ours as its last byte
 * @see contract section 3
 */
export async function checkBody(bytes: Buffer): Promise<CheckedBody | Refusal> {
  if (!isUtf8(bytes)) return malformed('the body is not valid UTF-8')
  const parts = await readParts(bytes)
  return 'ok' in parts ? parts : decide(bytes, parts)
}

type Parts = { readonly head: Readonly<Record<string, ExactValue>>; readonly records: RecordsInspection | undefined }

/** Of a repeated key the last value counts; what was dropped must still be JSON. */
async function readParts(bytes: Buffer): Promise<Parts | Refusal> {
  const head: Record<string, ExactValue> = {}
  let records: RecordsInspection | undefined
  const members = walkMembers(bytes, skipSpace(bytes, 0))
  let step = members.next()
  while (step.done !== true) {
    const { key, start } = step.value
    const names = HEADS.get(key)
    let end = INVALID
    if (key === 'records') {
      records = await inspectRecords(bytes, start, VALUE_DEPTH)
      end = records.end
    } else if (names !== undefined) {
      const read = readFlatObject(bytes, start, { names, maxDepth: VALUE_DEPTH })
      if (read !== undefined) [head[key], end] = [read.value, read.end]
    } else return malformed('the body is no JSON, or has a field that an envelope does not have')
    step = members.next(end)
  }
  const atEnd = step.value !== INVALID && skipSpace(bytes, step.value) >= bytes.length
  return atEnd ? { head, records } : malformed('the body is not a JSON object')
}

/** Everything is JSON: shape, then the version, then the records in order. */
function decide(bytes: Buffer, { head, records }: Parts): CheckedBody | Refusal {
  // A whole envelope but for its records, so that its rules stand in one place.
  const list = records === undefined ? {} : { records: records.from === undefined ? null : [] }
  const outer = checkEnvelope({ ...head, ...list })
  if (!outer.ok && outer.error === 'malformed') return outer
  const misshapen = records?.misshapen
  if (misshapen !== undefined) return malformed(`/records/${misshapen.index}: ${misshapen.message}`)
  if (!outer.ok) return outer
  const { commit } = outer.envelope
  if (records?.from === undefined) throw new Error('an envelope without records passed for a whole one')
  const wrong = firstWrong(records, commit.sha)
  if (wrong !== undefined) return refusalOf(bytes, wrong, commit.sha)
  return { ok: true, commit, from: records.from, total: records.total, counts: records.counts }
}

function firstWrong({ broken, first, firstSha, otherSha }: RecordsInspection, sha: string): Place | undefined {
  const mismatch = firstSha.equals(Buffer.from(sha)) ? otherSha : first
  if (broken === undefined || mismatch === undefined) return broken ?? mismatch
  return broken.index < mismatch.index ? broken : mismatch
}

/** Looks at one record again, for words. */
function refusalOf(bytes: Buffer, { index, start }: Place, sha: string): Refusal {
  const read = readBody(bytes.subarray(start, skipValue(bytes, start, MAX_BODY_DEPTH)))
  const shape = read.ok ? checkShape(read.value) : undefined
  const problem = shape?.ok === true ? brokenRule(shape.value, sha) : undefined
  if (problem === undefined) throw new Error(`record ${index} broke a rule once and not twice`)
  return { ok: false, error: 'record', recordIndex: index, message: problem.message }
}

function malformed(message: string): Refusal {
  return { ok: false, error: 'malformed', message }
}
