/** Reads rows back by id and compares every column with the file they came from. */

import type { Hash64 } from '../contract/hash64.js'
import { CONTRACT, type Kind } from '../contract/kinds.js'
import { createIdentifier } from '../source/identify.js'
import { inspect, type Inspection } from '../source/inspect.js'
import { lineBlocks } from '../source/lines.js'
import { readRecords } from '../source/records.js'
import type { RecordBatch } from '../source/record-batch.js'
import type { Rejection, Warning } from '../source/rejection.js'
import type { Source } from '../source/source.js'
import { unknownDimension } from '../source/downgrade.js'
import { compareRow, rowOfVersion } from './compare-row.js'
import { Uncompared, type NotCompared } from './not-compared.js'
import type { StoredRows } from './stored-rows.js'

export type Difference = {
  readonly source: string
  /** 0 for a row without a line in the files, and for a missing commit. */
  readonly line: number
  readonly kind: string
  readonly measurementId: string
  readonly code: 'missing' | 'different' | 'extra'
  readonly message: string
}

export type VerifyOptions = {
  readonly commitSha?: string | undefined
  /** The only contract version whose shapes are accepted. Default: the version of each file. */
  readonly contractVersion?: number | undefined
  /** Also reports rows of the files' commits that have no line in the files. */
  readonly extra: boolean
  readonly hash: Hash64
  readonly onRejection: (rejection: Rejection) => void
  readonly onWarning: (warning: Warning) => void
  readonly onDifference: (difference: Difference) => void
  readonly signal: AbortSignal
}

export type Verified = {
  readonly inspections: readonly Inspection[]
  /** The contract version of the target; undefined when nothing was compared because a line was rejected. */
  readonly targetVersion: number | undefined
  readonly compared: number
  readonly differences: number
  readonly notCompared: NotCompared
}

/** Number of rows per query. */
const CHUNK_ROWS = 1_000

/**
 * Compares files with a target of any contract version. When several lines have the same id, only the last one is
 * compared, because
 * its values are the stored ones. Nothing is compared when a line is rejected.
 */
export async function verify(
  sources: readonly Source[],
  stored: StoredRows,
  options: VerifyOptions,
): Promise<Verified> {
  const identify = createIdentifier(options.hash)
  const { commitSha, contractVersion, onRejection, onWarning, signal } = options
  const given = { commitSha, contractVersion, oneCommit: false, identify, onRejection, onWarning, signal }
  const inspections: Inspection[] = []
  for (const source of sources) inspections.push(await inspect(source, given))
  if (inspections.some(({ rejected }) => rejected > 0)) return { inspections, ...NOTHING_COMPARED }
  const targetVersion = await stored.version()
  const verifier = new Verifier(stored, { ...options, targetVersion })
  for (const [index, source] of sources.entries()) await verifier.compare(source, inspections.slice(index))
  if (options.extra) await verifier.findExtra(inspections)
  const { compared, differences, uncompared } = verifier
  return { inspections, targetVersion, compared, differences, notCompared: uncompared.list() }
}

const NOTHING_COMPARED = {
  ...{ targetVersion: undefined, compared: 0, differences: 0 },
  notCompared: { fields: [], records: [] },
}

/** A line number and the line's values as text, in field order; undefined for null. */
type Line = { readonly line: number; readonly values: readonly (string | undefined)[] }

class Verifier {
  compared = 0
  differences = 0
  readonly uncompared = new Uncompared()
  #waiting = new Map<Kind, Map<string, Line>>(CONTRACT.kinds.map(kind => [kind, new Map<string, Line>()]))

  constructor(
    private readonly stored: StoredRows,
    private readonly options: VerifyOptions & { readonly targetVersion: number },
  ) {}

  /**
   * Compares one source with the target.
   * @param inspections of this source and of the later ones, because a later file's line replaces an earlier one with
   * the same id
   */
  async compare(source: Source, inspections: readonly Inspection[]): Promise<void> {
    const identify = createIdentifier(this.options.hash)
    await this.#compareCommit(source.name, inspections[0])
    for await (const { batch } of readRecords(lineBlocks(await source.open()), { source: source.name })) {
      this.options.signal.throwIfAborted()
      identify(batch)
      this.#collect(batch, inspections)
      for (const kind of CONTRACT.kinds)
        if (this.#linesOf(kind).size >= CHUNK_ROWS) await this.#flush(kind, source.name)
    }
    for (const kind of CONTRACT.kinds) await this.#flush(kind, source.name)
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
      const message = row === undefined ? 'is not stored' : compareRow(kind, values, row)
      if (message === undefined) continue
      const code = row === undefined ? 'missing' : 'different'
      this.#report({ source, line, kind: kind.kind, measurementId: id, code, message })
    }
    lines.clear()
  }

  async #compareCommit(source: string, inspection: Inspection | undefined): Promise<void> {
    const sha = inspection?.commitSha ?? this.options.commitSha
    if (sha === undefined) return
    const message = `${sha} is not stored`
    if (!(await this.stored.hasCommit(sha)))
      this.#report({ source, line: 0, kind: 'commit', measurementId: '', code: 'missing', message })
  }

  #extra(kind: Kind, id: string): void {
    const message = 'is stored for this commit, but no line names it'
    this.#report({ source: '', line: 0, kind: kind.kind, measurementId: id, code: 'extra', message })
  }

  #report(difference: Difference): void {
    this.differences++
    this.options.onDifference(difference)
  }
}
