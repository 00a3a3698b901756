/** The validation pass over a source: checks every line, and collects counts, problems and, if asked, ids. */

import { CONTRACT } from '../contract/kinds.js'
import { lowestIn, versionBit, type VersionSet } from '../contract/version-set.js'
import { IngestError } from '../errors.js'
import { CommitCheck } from './commit-check.js'
import { IdTable } from './id-table.js'
import { lineBlocks } from './lines.js'
import type { RecordBatch } from './record-batch.js'
import { readRecords, type Records } from './records.js'
import type { Rejection, Warning } from './rejection.js'
import type { Source } from './source.js'
import { ValueCheck } from './value-check.js'
import { VersionTally } from './version-tally.js'

export type InspectOptions = {
  /** The commit that every record must name. Default: the first full commit id of this source. */
  readonly commitSha?: string | undefined
  /** The only contract version whose shapes are accepted. Default: the lowest one that fits all records of the source. */
  readonly contractVersion?: number | undefined
  /** Number of lines that precede this source in its file, for the line numbers in messages. Default: 0. */
  readonly linesBefore?: number
  /** True rejects records of a second commit, as a push does. */
  readonly oneCommit: boolean
  /** True makes a source without records an error. Default: a warning. */
  readonly requireRecords?: boolean | undefined
  /** Computes `batch.ids`. If given, ids that occur twice cause a warning. */
  readonly identify?: ((batch: RecordBatch) => void) | undefined
  /** Called with each batch. Some of its rows may still be rejected later. */
  readonly onBatch?: ((batch: RecordBatch) => void) | undefined
  readonly onRejection: (rejection: Rejection) => void
  readonly onWarning: (warning: Warning) => void
  /** Called after each batch. Returns true to end the pass early. */
  readonly enough?: (() => boolean) | undefined
  readonly signal?: AbortSignal | undefined
}

export type Inspection = {
  readonly source: string
  readonly lines: number
  readonly records: number
  readonly rejected: number
  /** Number of records per kind name. Kinds without records are left out. */
  readonly counts: ReadonlyMap<string, number>
  /** The first full commit id of the source; undefined when no record names an accepted one. */
  readonly commitSha: string | undefined
  /** The contract versions that fit every record. The file is sent as one of them. All versions for an empty file. */
  readonly fits: VersionSet
  /** The contract version of the file: the one that was asked for, otherwise the lowest that fits every record. */
  readonly contractVersion: number
  /** Where each id was last seen; empty unless ids were asked for. */
  readonly ids: IdTable
}

/** The contract version of a source; undefined for a source without records. */
export function contractVersionOf({
  records,
  contractVersion,
}: Pick<Inspection, 'records' | 'contractVersion'>): number | undefined {
  return records === 0 ? undefined : contractVersion
}

export async function inspect(source: Source, options: InspectOptions): Promise<Inspection> {
  const pass = new Pass(source.name, options)
  for await (const records of recordsOf(source, options)) {
    pass.take(records)
    if (options.enough?.() === true) return pass.done()
  }
  if (pass.hasMixedVersions) await rejectOtherVersions(source, pass, options)
  return pass.done()
}

/**
 * Reads the source again and rejects records that do not fit the version of most records. That version is known only after the
 * first pass.
 */
async function rejectOtherVersions(source: Source, pass: Pass, options: InspectOptions): Promise<void> {
  for await (const { batch } of recordsOf(source, options)) {
    pass.rejectOtherVersions(batch)
    if (options.enough?.() === true) return
  }
}

async function* recordsOf(
  source: Source,
  { contractVersion, linesBefore = 0, signal }: InspectOptions,
): AsyncGenerator<Records> {
  const blocks = lineBlocks(await source.open())
  const isRest = linesBefore > 0
  for await (const records of readRecords(blocks, { source: source.name, version: contractVersion, isRest })) {
    signal?.throwIfAborted()
    yield records
  }
}

class Pass {
  #lines = 0
  #records = 0
  #rejected = 0
  #counts = new Float64Array(CONTRACT.kinds.length)
  #ids = new IdTable()
  readonly #versions: VersionTally
  readonly #commits: CommitCheck
  readonly #values = new ValueCheck()

  constructor(
    private readonly source: string,
    private readonly options: InspectOptions,
  ) {
    this.#versions = new VersionTally(options.linesBefore)
    this.#commits = new CommitCheck(options)
  }

  take({ batch, rejections, warnings, lines }: Records): void {
    this.#lines = lines
    const mismatches = this.#rejectCommits(batch)
    this.#values.check(batch)
    this.#versions.note(batch, new Set(mismatches.map(({ line }) => line)))
    const all = mismatches.length === 0 ? rejections : [...rejections, ...mismatches].sort((a, b) => a.line - b.line)
    for (const rejection of all) this.options.onRejection(rejection)
    for (const warning of warnings) this.options.onWarning(warning)
    this.#rejected += all.length
    this.#records += batch.count - mismatches.length
    if (this.options.identify !== undefined) this.#noteIds(batch, this.options.identify)
    this.options.onBatch?.(batch)
  }

  get hasMixedVersions(): boolean {
    return this.#versions.common === 0
  }

  /** Rejects the records of a mixed file that do not have the version of most of its records. */
  rejectOtherVersions(batch: RecordBatch): void {
    const version = this.#versions.mostFrequent
    for (let row = 0; row < batch.count; row++) {
      if ((batch.fits[row]! & versionBit(version)) !== 0) continue
      // The first pass has rejected it already.
      if (this.#commits.problemOf(batch, row) !== undefined) continue
      const place = { source: this.source, line: batch.lines[row]!, byte: batch.bytes[row]! }
      this.options.onRejection({ ...place, ...this.#versions.rejectionOf(batch, row, version) })
      this.#counts[batch.kinds[row]!]!--
      this.#records--
      this.#rejected++
    }
  }

  done(): Inspection {
    for (const warning of this.#values.warnings(this.source)) this.options.onWarning(warning)
    this.#reportEmpty()
    const counts = CONTRACT.kinds.map(({ kind }, index) => [kind, this.#counts[index]!] as const)
    return {
      source: this.source,
      lines: this.#lines,
      records: this.#records,
      rejected: this.#rejected,
      counts: new Map(counts.filter(([, count]) => count > 0)),
      commitSha: this.#commits.firstSha,
      fits: this.#fits,
      contractVersion: this.options.contractVersion ?? lowestIn(this.#fits),
      ids: this.#ids,
    }
  }

  get #fits(): VersionSet {
    return this.hasMixedVersions ? versionBit(this.#versions.mostFrequent) : this.#versions.common
  }

  #rejectCommits(batch: RecordBatch): Rejection[] {
    const rejections: Rejection[] = []
    for (let row = 0; row < batch.count; row++) {
      const problem = this.#commits.problemOf(batch, row)
      if (problem === undefined) this.#counts[batch.kinds[row]!]!++
      else rejections.push({ source: this.source, line: batch.lines[row]!, byte: batch.bytes[row]!, ...problem })
    }
    return rejections
  }

  #noteIds(batch: RecordBatch, identify: (batch: RecordBatch) => void): void {
    identify(batch)
    this.#ids.putAll(batch.ids.subarray(0, batch.count), batch.lines, (line, before) => {
      const message = `the same measurement as line ${before}; the last one wins`
      this.options.onWarning({ source: this.source, line, pointer: '', code: 'duplicate_id', message })
    })
  }

  /** An empty rest of a source is no empty source. */
  #reportEmpty(): void {
    const { linesBefore = 0, requireRecords = false, onWarning } = this.options
    if (this.#records + this.#rejected > 0 || linesBefore > 0) return
    if (requireRecords) throw noRecordsError(this.source)
    onWarning({ source: this.source, line: 0, pointer: '', code: 'empty_input', message: 'holds no records' })
  }
}

export function noRecordsError(source: string): IngestError {
  const hint = 'check whether the benchmarks ran; without --require-records, an empty file is only a warning'
  return new IngestError('bad_data', `${source} holds no records`, { hint })
}
