/** Makes batches of the lines of files or of an archive, in which the records of many commits may follow each other in any order. */

import { isCommittedBetween, type Commit } from '../../contract/commit.js'
import type { VersionSet } from '../../contract/version-set.js'
import type { RecordBatch } from '../../source/record-batch.js'
import { BatchLines } from './batch-lines.js'
import type { CopyBatch, CopyFilter, OpenCopySource } from './copy-source.js'

/** Records with their lines. Valid until the next ones are requested. */
export type ReadLines = {
  readonly batch: RecordBatch
  /** The rows of the batch that are read. */
  readonly rows: readonly number[]
  /** The line of a row, with its line feed. */
  readonly lineOf: (row: number) => Buffer
  /** Names the line of a row in messages. */
  readonly placeOf: (row: number) => string
}

export type LineSourceOptions = {
  readonly filter: CopyFilter
  /** Finds the metadata of a commit. @throws {IngestError} `commit_unknown` */
  readonly findCommit: (sha: string) => Promise<Commit>
  readonly records: number | undefined
  readonly description: string
  /** Whether the lines are the same in a later run of the program, so that it can continue where this one stops. */
  readonly isRepeatable: boolean
}

/** Records that are grouped by their commit in memory. A commit whose records are farther apart gets several deliveries. */
const WINDOW_RECORDS = 50_000
const WINDOW_BYTES = 32 * 1024 * 1024

/** @param read reads the lines from the start, each time in the same order */
export function lineSource(read: () => AsyncIterable<ReadLines>, options: LineSourceOptions): OpenCopySource {
  return { records: options.records, batches: after => lineBatches(read(), { ...options, after }) }
}

type LineBatchesOptions = LineSourceOptions & { readonly after: string | undefined }

async function* lineBatches(blocks: AsyncIterable<ReadLines>, options: LineBatchesOptions): AsyncGenerator<CopyBatch> {
  const skipped = Number(options.after ?? 0)
  let seen = 0
  let window = new Window()
  const flush = async function* (): AsyncGenerator<CopyBatch> {
    const position = options.isRepeatable ? String(seen).padStart(16, '0') : undefined
    yield* window.batches(options, position)
    window = new Window()
  }
  for await (const block of blocks) {
    const from = Math.min(block.rows.length, Math.max(0, skipped - seen))
    for (const row of block.rows.slice(from))
      if (options.filter.kinds.includes(block.batch.kindOf(row))) window.add(block, row)
    seen += block.rows.length
    if (window.isFull) yield* flush()
  }
  yield* flush()
}

/** The lines of one commit that fit a common contract version, because all records of a delivery have one version. */
type Group = { readonly sha: string; fits: VersionSet; readonly lines: BatchLines; readonly places: string[] }

class Window {
  readonly #groups = new Map<string, Group[]>()
  #records = 0
  #bytes = 0

  get isFull(): boolean {
    return this.#records >= WINDOW_RECORDS || this.#bytes >= WINDOW_BYTES
  }

  add({ batch, lineOf, placeOf }: ReadLines, row: number): void {
    const group = this.#groupOf(batch.text(row, COMMIT_FIELD) ?? '', batch.fits[row]!)
    const line = lineOf(row)
    group.lines.addBytes(line, 1)
    group.places.push(placeOf(row))
    this.#records++
    this.#bytes += line.length
  }

  async *batches(
    { findCommit, filter, description }: LineSourceOptions,
    position: string | undefined,
  ): AsyncGenerator<CopyBatch> {
    const groups = [...this.#groups.values()].flat()
    for (const [index, { sha, lines, places }] of groups.entries()) {
      const commit = await findCommit(sha)
      const source = lines.source(`${sha} of ${description}`)
      if (!isCommittedBetween(commit, filter)) await source.release()
      else
        yield {
          ...{ commit, lines: source, records: lines.records, storedIds: undefined },
          placeOf: line => places[line - 1] ?? description,
          position: index === groups.length - 1 ? position : undefined,
        }
    }
  }

  #groupOf(sha: string, fits: VersionSet): Group {
    const known = this.#groups.get(sha) ?? []
    this.#groups.set(sha, known)
    const found = known.find(group => (group.fits & fits) !== 0)
    if (found !== undefined) {
      found.fits &= fits
      return found
    }
    const group = { sha, fits, lines: new BatchLines(), places: [] }
    known.push(group)
    return group
  }
}

const COMMIT_FIELD = 0
