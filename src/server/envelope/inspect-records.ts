/** The first pass over the `records` of an envelope: counts them and finds violations before the commit is known. */

import { setImmediate } from 'node:timers/promises'
import { CONTRACT } from '../../contract/kinds.js'
import { brokenRule, type BenchRecord } from '../../contract/validate.js'
import { RecordBatch } from '../../source/record-batch.js'
import { INVALID, skipValue } from './skip-value.js'
import { RecordWalk, type RecordElement } from './walk-records.js'

/** Position of one record: its index in the array and its byte offset in the body. */
export type RecordPosition = { readonly index: number; readonly start: number }

export type RecordsInspection = {
  /** Offset after the value, or INVALID when the value is not valid JSON. */
  readonly end: number
  /** Offset after the array's `[`, or undefined when the value is not an array. */
  readonly from: number | undefined
  /** The first element that is not a record. */
  readonly misshapen: { readonly index: number; readonly message: string } | undefined
  /** The first record that breaks a rule. The commit it names is compared separately, by `first` and `otherSha`. */
  readonly broken: RecordPosition | undefined
  /** The first record. All others must name the same commit. */
  readonly first: RecordPosition | undefined
  readonly firstSha: Buffer
  /** The first record that names a different commit than the first record. */
  readonly otherSha: RecordPosition | undefined
  readonly total: number
  /** Number of records per kind name. Kinds without records are absent. */
  readonly counts: ReadonlyMap<string, number>
}

const OPEN_LIST = 0x5b
/** Other requests get a turn after this many records. */
const TURN_RECORDS = 4096
/** Index of `commit_sha`, which is the first field of every kind. */
const COMMIT_FIELD = 0

export type InspectRecordsOptions = {
  /** Offset at which the value of `records` starts. */
  readonly start: number
  readonly maxDepth: number
  /** The contract version that every record must have. */
  readonly version: number
}

export async function inspectRecords(
  bytes: Buffer,
  { start, maxDepth, version }: InspectRecordsOptions,
): Promise<RecordsInspection> {
  const pass = new Pass(bytes)
  if (bytes[start] !== OPEN_LIST) return pass.result(skipValue(bytes, start, maxDepth), undefined)
  const walk = new RecordWalk(bytes, start + 1, version)
  const batch = new RecordBatch()
  batch.reset(bytes, 0)
  for (;;) {
    const next = walk.next(batch)
    const element = next?.kind === 'unread' ? await walk.readExactly() : next
    if (element === undefined) return pass.result(walk.end ?? INVALID, start + 1)
    pass.take(element, walk, batch)
    batch.count = 0
    if (pass.misshapen !== undefined) await walk.skipRest()
    else if (walk.index % TURN_RECORDS === TURN_RECORDS - 1) await setImmediate()
  }
}

class Pass {
  misshapen: RecordsInspection['misshapen']
  #broken: RecordPosition | undefined
  #first: RecordPosition | undefined
  #firstSha: Buffer = Buffer.alloc(0)
  #otherSha: RecordPosition | undefined
  #total = 0
  readonly #counts = new Float64Array(CONTRACT.kinds.length)

  constructor(private readonly bytes: Buffer) {}

  take(element: RecordElement, walk: RecordWalk, batch: RecordBatch): void {
    switch (element.kind) {
      case 'scanned':
        this.#counts[batch.kinds[0]!]!++
        return this.#compareSha(walk, this.bytes, batch.starts[COMMIT_FIELD]!, batch.ends[COMMIT_FIELD]!)
      case 'read':
        return this.#takeRead(element.record, walk)
      case 'misshapen':
        this.misshapen = { index: walk.index, message: element.message }
    }
  }

  result(end: number, from: number | undefined): RecordsInspection {
    const counts = CONTRACT.kinds.map(({ kind }, index) => [kind, this.#counts[index]!] as const)
    return {
      ...{ end, from, misshapen: this.misshapen, broken: this.#broken },
      ...{ first: this.#first, firstSha: this.#firstSha, otherSha: this.#otherSha, total: this.#total },
      counts: new Map(counts.filter(([, count]) => count > 0)),
    }
  }

  #takeRead(record: BenchRecord, walk: RecordWalk): void {
    this.#counts[CONTRACT.kinds.indexOf(record.kind)]!++
    if (this.#broken === undefined && brokenRule(record) !== undefined) this.#broken = positionOf(walk)
    const sha = Buffer.from(record.fields['commit_sha'] as string)
    this.#compareSha(walk, sha, 0, sha.length)
  }

  #compareSha(walk: RecordWalk, from: Buffer, start: number, end: number): void {
    if (this.#total++ === 0) {
      this.#first = positionOf(walk)
      this.#firstSha = Buffer.from(from.subarray(start, end))
    } else if (this.#otherSha === undefined && !sameBytes(this.#firstSha, from, start, end))
      this.#otherSha = positionOf(walk)
  }
}

function positionOf({ index, start }: RecordWalk): RecordPosition {
  return { index, start }
}

function sameBytes(wanted: Buffer, from: Buffer, start: number, end: number): boolean {
  if (end - start !== wanted.length) return false
  for (let at = 0; at < wanted.length; at++) if (from[start + at] !== wanted[at]) return false
  return true
}
