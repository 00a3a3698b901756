/** The validation pass over a source: checks every line, and collects counts, problems and, if asked, ids. */

import { CONTRACT } from '../contract/kinds.js'
import { quote } from '../contract/problem.js'
import { commitMismatchProblem } from '../contract/validate.js'
import { lowestIn, versionBit, type VersionSet } from '../contract/version-set.js'
import { startsWith, toToken, type Token } from '../contract/words.js'
import { IdTable } from './id-table.js'
import { lineBlocks } from './lines.js'
import { STRIDE, type RecordBatch } from './record-batch.js'
import { readRecords, type Records } from './records.js'
import type { Rejection, Warning } from './rejection.js'
import type { Source } from './source.js'
import { VersionTally } from './version-tally.js'

export type InspectOptions = {
  /** The commit that every record must name. Default: the commit of the first record of this source. */
  readonly commitSha?: string | undefined
  /** The only contract version whose shapes are accepted. Default: the lowest one that fits all records of the source. */
  readonly contractVersion?: number | undefined
  /** Number of lines that precede this source in its file, for the line numbers in messages. Default: 0. */
  readonly linesBefore?: number
  /** True rejects records of a second commit, as a push does. False only warns of them. */
  readonly oneCommit: boolean
  /** Computes `batch.ids`. If given, ids that occur twice cause a warning. */
  readonly identify?: (batch: RecordBatch) => void
  /** Called with each batch. Some of its rows may still be rejected later. */
  readonly onBatch?: ((batch: RecordBatch) => void) | undefined
  readonly onRejection: (rejection: Rejection) => void
  readonly onWarning: (warning: Warning) => void
  /** Called after each batch. Returns true to end the pass early. */
  readonly enough?: () => boolean
  readonly signal?: AbortSignal
}

export type Inspection = {
  readonly source: string
  readonly lines: number
  readonly records: number
  readonly rejected: number
  /** Number of records per kind name. Kinds without records are left out. */
  readonly counts: ReadonlyMap<string, number>
  /** The commit of the first record. */
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

async function* recordsOf(source: Source, { contractVersion, signal }: InspectOptions): AsyncGenerator<Records> {
  const blocks = lineBlocks(await source.open())
  for await (const records of readRecords(blocks, { source: source.name, version: contractVersion })) {
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
  #sha: Token | undefined
  #shaText: string | undefined
  #firstSha: string | undefined
  #warnedOfCommits = false

  constructor(
    private readonly source: string,
    private readonly options: InspectOptions,
  ) {
    this.#versions = new VersionTally(options.linesBefore)
    if (options.commitSha !== undefined) this.#expect(options.commitSha)
  }

  take({ batch, rejections, warnings, lines }: Records): void {
    this.#lines = lines
    const mismatches = this.#checkCommits(batch)
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
      if ((batch.fits[row]! & versionBit(version)) !== 0 || !this.#isCounted(batch, row)) continue
      const place = { source: this.source, line: batch.lines[row]!, byte: batch.bytes[row]! }
      this.options.onRejection({ ...place, ...this.#versions.rejectionOf(batch, row, version) })
      this.#counts[batch.kinds[row]!]!--
      this.#records--
      this.#rejected++
    }
  }

  /** Whether the first pass counted the record. It does not count records of another commit when one commit is required. */
  #isCounted(batch: RecordBatch, row: number): boolean {
    return !this.options.oneCommit || this.#holdsCommit(batch, row)
  }

  done(): Inspection {
    if (this.#records + this.#rejected === 0) this.#warnEmpty()
    const counts = CONTRACT.kinds.map(({ kind }, index) => [kind, this.#counts[index]!] as const)
    return {
      source: this.source,
      lines: this.#lines,
      records: this.#records,
      rejected: this.#rejected,
      counts: new Map(counts.filter(([, count]) => count > 0)),
      commitSha: this.#firstSha,
      fits: this.#fits,
      contractVersion: this.options.contractVersion ?? lowestIn(this.#fits),
      ids: this.#ids,
    }
  }

  get #fits(): VersionSet {
    return this.hasMixedVersions ? versionBit(this.#versions.mostFrequent) : this.#versions.common
  }

  #expect(sha: string): void {
    this.#shaText = sha
    const bytes = Buffer.from(sha)
    this.#sha = bytes.length < 4 ? undefined : toToken(bytes)
  }

  #checkCommits(batch: RecordBatch): Rejection[] {
    const rejections: Rejection[] = []
    if (batch.count > 0) this.#firstSha ??= batch.text(0, COMMIT_FIELD) ?? ''
    if (this.#shaText === undefined && this.#firstSha !== undefined) this.#expect(this.#firstSha)
    for (let row = 0; row < batch.count; row++) {
      if (this.#holdsCommit(batch, row) || this.#toleratesCommit(batch, row)) this.#counts[batch.kinds[row]!]!++
      else rejections.push(this.#mismatch(batch, row))
    }
    return rejections
  }

  #holdsCommit(batch: RecordBatch, row: number): boolean {
    const sha = this.#sha
    if (sha === undefined) return batch.text(row, COMMIT_FIELD) === this.#shaText
    const start = batch.starts[row * STRIDE + COMMIT_FIELD]!
    return batch.ends[row * STRIDE + COMMIT_FIELD]! - start === sha.length && startsWith(batch.viewOf(row), start, sha)
  }

  #mismatch(batch: RecordBatch, row: number): Rejection {
    const sha = batch.text(row, COMMIT_FIELD) ?? ''
    const place = { source: this.source, line: batch.lines[row]!, byte: batch.bytes[row]! }
    return {
      ...place,
      ...(commitMismatchProblem(sha, this.#shaText ?? '') as Pick<Rejection, 'pointer' | 'code' | 'message'>),
    }
  }

  /** Whether records of another commit are allowed. Warns of the first one. */
  #toleratesCommit(batch: RecordBatch, row: number): boolean {
    if (this.options.oneCommit) return false
    if (this.#warnedOfCommits) return true
    this.#warnedOfCommits = true
    const line = batch.lines[row]!
    const [sha, first] = [batch.text(row, COMMIT_FIELD) ?? '', this.#shaText ?? ''].map(printable)
    const message = `line ${line} names commit ${sha}, but the first record names ${first}: push accepts one commit per file`
    this.options.onWarning({ source: this.source, line, pointer: '/commit_sha', code: 'several_commits', message })
    return true
  }

  #noteIds(batch: RecordBatch, identify: (batch: RecordBatch) => void): void {
    identify(batch)
    this.#ids.putAll(batch.ids.subarray(0, batch.count), batch.lines, (line, before) => {
      const message = `the same measurement as line ${before}; the last one wins`
      this.options.onWarning({ source: this.source, line, pointer: '', code: 'duplicate_id', message })
    })
  }

  #warnEmpty(): void {
    const message = 'holds no records'
    this.options.onWarning({ source: this.source, line: 0, pointer: '', code: 'empty_input', message })
  }
}

/** Index of `commit_sha`, the first field of every kind. */
const COMMIT_FIELD = 0

/** Shortens a commit id for a message, because it has not been validated. */
function printable(sha: string): string {
  return quote(sha, 40).slice(1, -1)
}
