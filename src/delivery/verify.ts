/** `verify`: reads rows back by id and compares every column with the file they came from. */

import { wasmHash64, type Hash64 } from '../contract/hash64.js'
import { CONTRACT, type Kind } from '../contract/kinds.js'
import { createIdentifier } from '../source/identify.js'
import { openSources, type InputOptions } from '../source/inputs.js'
import { inspect, type Inspection } from '../source/inspect.js'
import { lineBlocks } from '../source/lines.js'
import { readRecords } from '../source/records.js'
import { piiFilter, type PiiFilter, type PiiOptions } from '../pii/pii-filter.js'
import type { RecordBatch } from '../source/record-batch.js'
import type { Rejection, Warning } from '../source/rejection.js'
import type { Source } from '../source/source.js'
import { unknownDimension } from '../source/downgrade.js'
import { compareRow, rowOfVersion } from './compare-row.js'
import { Uncompared, type NotCompared } from './not-compared.js'
import type { ReadableTarget, StoredRows } from './stored-rows.js'

export type Difference = {
  readonly source: string
  /** 0 for a row without a line in the files, and for a missing commit. */
  readonly line: number
  readonly kind: string
  readonly measurementId: string
  readonly code: 'missing' | 'different' | 'extra'
  readonly message: string
  /** For a missing commit: the number of its measurements that are missing with it. */
  readonly measurements?: number
}

export type VerifyOptions = {
  /** The target to compare with: a server or a database. */
  readonly target: ReadableTarget
  /** The commit id that every record must name. Default: records may name any commit. */
  readonly commitSha?: string | undefined
  /** The only contract version whose shapes are accepted. Default: the version of each file. */
  readonly contractVersion?: number | undefined
  /** The mode and key that the files were pushed with. Their texts are masked or dropped in the same way before they are compared. */
  readonly pii?: PiiOptions | undefined
  /** Also reports rows of the files' commits that have no line in the files. Default: false. */
  readonly extra?: boolean | undefined
  /** Called with each rejected line. */
  readonly onRejection?: ((rejection: Rejection) => void) | undefined
  /** Called with each warning about a line. */
  readonly onWarning?: ((warning: Warning) => void) | undefined
  /** Called with each difference. */
  readonly onDifference?: ((difference: Difference) => void) | undefined
  /** Stops the comparison. Its reason becomes the error. */
  readonly signal?: AbortSignal | undefined
  /** The stream that `-` names. Default: standard input. */
  readonly stdin?: InputOptions['stdin'] | undefined
  /** Observes the reading of the files. */
  readonly watch?: InputOptions['watch']
}

export type VerifyResult = {
  /** The target in words, without secrets. */
  readonly target: string
  /** The contract version of the target; undefined when nothing was compared because a line was rejected. */
  readonly targetVersion: number | undefined
  /** Number of measurements that were compared. */
  readonly compared: number
  /** Number of differences. */
  readonly different: number
  /** Number of rejected lines. Nothing is compared unless it is 0. */
  readonly rejected: number
  /** The first 1,000 differences. */
  readonly differences: readonly Difference[]
  /** The part that could not be compared, because files and target have different contract versions. */
  readonly notCompared: NotCompared
}

/** Number of rows per query. */
const CHUNK_ROWS = 1_000

/** Maximum number of listed differences, so that memory stays flat. */
const MAX_LISTED = 1_000

/**
 * Compares files with the rows of a target of any contract version, column by column. When several lines have the same id, only the
 * last one is compared, because its values are the stored ones. Nothing is compared when a line is rejected.
 * @param files file names, globs, `-` for standard input, or sources; plain, gzip or zstd
 * @throws {IngestError} when a file cannot be read, or the target cannot be reached
 */
export async function verify(files: readonly (string | Source)[], options: VerifyOptions): Promise<VerifyResult> {
  const { target, stdin = process.stdin, watch, signal = new AbortController().signal } = options
  const { sources, release } = await openSources(files, { stdin, watch, rereadable: true, signal })
  try {
    const { rows, description, close } = await target.openRows(signal)
    try {
      return { target: description, ...(await compareSources(sources, rows, { ...options, signal })) }
    } finally {
      await close()
    }
  } finally {
    await release()
  }
}

type CompareOptions = VerifyOptions & { readonly signal: AbortSignal }

async function compareSources(
  sources: readonly Source[],
  stored: StoredRows,
  options: CompareOptions,
): Promise<Omit<VerifyResult, 'target'>> {
  const filter = options.pii && piiFilter(options.pii)
  const hash = await wasmHash64()
  const { commitSha, contractVersion, signal, onRejection = () => undefined, onWarning = () => undefined } = options
  const given = {
    commitSha,
    contractVersion,
    oneCommit: false,
    identify: createIdentifier(hash),
    onRejection,
    onWarning,
    signal,
  }
  const inspections: Inspection[] = []
  for (const source of sources) inspections.push(await inspect(source, given))
  const rejected = inspections.reduce((all, one) => all + one.rejected, 0)
  if (rejected > 0) return { ...NOTHING_COMPARED, rejected }
  const targetVersion = await stored.version()
  const verifier = new Verifier(stored, { ...options, hash, targetVersion, filter })
  for (const [index, source] of sources.entries()) await verifier.compare(source, inspections.slice(index))
  if (options.extra === true) await verifier.findExtra(inspections)
  const { compared, different, differences, uncompared } = verifier
  return { targetVersion, compared, different, rejected, differences, notCompared: uncompared.list() }
}

const NOTHING_COMPARED = {
  ...{ targetVersion: undefined, compared: 0, different: 0, differences: [] },
  notCompared: { fields: [], records: [] },
}

/** A line number and the line's values as text, in field order; undefined for null. */
type Line = { readonly line: number; readonly values: readonly (string | undefined)[] }

/** Index of `commit_sha`, the first field of every kind. */
const COMMIT_FIELD = 0

/** A commit that a file names, with the number of its measurements that are missing because the commit is not stored. */
type ComparedCommit = { readonly isStored: boolean; missing: number }

type VerifierOptions = CompareOptions & {
  readonly hash: Hash64
  readonly targetVersion: number
  readonly filter: PiiFilter | undefined
}

class Verifier {
  compared = 0
  different = 0
  readonly differences: Difference[] = []
  readonly uncompared = new Uncompared()
  /** The commits of the current file that were looked up. */
  readonly #commits = new Map<string, ComparedCommit>()
  #waiting = new Map<Kind, Map<string, Line>>(CONTRACT.kinds.map(kind => [kind, new Map<string, Line>()]))

  constructor(
    private readonly stored: StoredRows,
    private readonly options: VerifierOptions,
  ) {}

  /**
   * Compares one source with the target.
   * @param inspections of this source and of the later ones, because a later file's line replaces an earlier one with
   * the same id
   */
  async compare(source: Source, inspections: readonly Inspection[]): Promise<void> {
    const identify = createIdentifier(this.options.hash)
    const sha = inspections[0]?.commitSha ?? this.options.commitSha
    if (sha !== undefined) await this.#commitOf(sha)
    const lines = lineBlocks(await source.open())
    const filtered = this.options.filter?.lines(lines, source.name) ?? lines
    for await (const { batch } of readRecords(filtered, { source: source.name })) {
      this.options.signal.throwIfAborted()
      identify(batch)
      this.#collect(batch, inspections)
      for (const kind of CONTRACT.kinds)
        if (this.#linesOf(kind).size >= CHUNK_ROWS) await this.#flush(kind, source.name)
    }
    for (const kind of CONTRACT.kinds) await this.#flush(kind, source.name)
    this.#reportMissingCommits(source.name)
    await source.assertUnchanged()
  }

  /** Reports rows of the files' commits that have no line in the files. */
  async findExtra(inspections: readonly Inspection[]): Promise<void> {
    const shas = new Set(inspections.flatMap(({ commitSha }) => commitSha ?? []))
    for (const sha of shas) for (const kind of CONTRACT.kinds) await this.#findExtraOf(kind, sha, inspections)
  }

  async #findExtraOf(kind: Kind, sha: string, inspections: readonly Inspection[]): Promise<void> {
    let after: string | undefined
    do {
      const page = await this.stored.idsOf(kind, sha, after)
      for (const id of page) if (inspections.every(({ ids }) => ids.get(BigInt(id)) === 0)) this.#extra(kind, id)
      after = page.at(-1)
    } while (after !== undefined)
  }

  #linesOf(kind: Kind): Map<string, Line> {
    return this.#waiting.get(kind)!
  }

  #collect(batch: RecordBatch, [own, ...later]: readonly Inspection[]): void {
    for (let row = 0; row < batch.count; row++) {
      const id = batch.ids[row]!
      const line = batch.lines[row]!
      if (own?.ids.get(id) !== line || later.some(({ ids }) => ids.get(id) !== 0)) continue
      const kind = batch.kindOf(row)
      const dimension = unknownDimension(batch, row, this.options.targetVersion)
      if (dimension !== undefined) {
        this.uncompared.records.add(kind, dimension)
        continue
      }
      const values = kind.fields.map((_, field) => batch.text(row, field))
      this.#linesOf(kind).set(id.toString(), { line, values })
    }
  }

  async #flush(kind: Kind, source: string): Promise<void> {
    const lines = this.#linesOf(kind)
    if (lines.size === 0) return
    const rows = await this.stored.byId(kind, [...lines.keys()])
    const { targetVersion } = this.options
    const stored = new Map(rows.map(row => [row.measurement_id, rowOfVersion(targetVersion, kind, row)]))
    for (const [id, { line, values }] of lines) {
      this.compared++
      const row = stored.get(id)
      if (row !== undefined) this.uncompared.addFields(kind, values, row)
      const commit = row === undefined ? await this.#commitOf(values[COMMIT_FIELD] ?? '') : undefined
      if (commit?.isStored === false) {
        commit.missing++
        continue
      }
      const message = row === undefined ? 'is not stored' : compareRow(kind, values, row)
      if (message === undefined) continue
      const code = row === undefined ? 'missing' : 'different'
      this.#report({ source, line, kind: kind.kind, measurementId: id, code, message })
    }
    lines.clear()
  }

  async #commitOf(sha: string): Promise<ComparedCommit> {
    const known = this.#commits.get(sha)
    if (known !== undefined) return known
    const commit = { isStored: await this.stored.hasCommit(sha), missing: 0 }
    this.#commits.set(sha, commit)
    return commit
  }

  /** One difference for a commit that is not stored, instead of one for each of its measurements. */
  #reportMissingCommits(source: string): void {
    for (const [sha, { isStored, missing }] of this.#commits) {
      if (isStored) continue
      const rows =
        missing === 1
          ? '1 of its measurements is not stored either'
          : `${missing} of its measurements are not stored either`
      const message = `${sha} is not stored${missing === 0 ? '' : `; ${rows}`}`
      const commit = { source, line: 0, kind: 'commit', measurementId: '', measurements: missing }
      this.#report({ ...commit, code: 'missing', message })
    }
    this.#commits.clear()
  }

  #extra(kind: Kind, id: string): void {
    const message = 'is stored for this commit, but no line names it'
    this.#report({ source: '', line: 0, kind: kind.kind, measurementId: id, code: 'extra', message })
  }

  #report(difference: Difference): void {
    if (this.different++ < MAX_LISTED) this.differences.push(difference)
    this.options.onDifference?.(difference)
  }
}
