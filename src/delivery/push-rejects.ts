/** Rejected lines of a push that delivers the others: how many are allowed, and where they are stored. */

import { Readable } from 'node:stream'
import type { LineLimit } from '../config/option.js'
import { IngestError } from '../errors.js'
import type { Inspection } from '../source/inspect.js'
import { RejectCollector, writeRejectFiles, type RejectSet } from '../source/rejects.js'
import { assertNotRead } from '../source/new-file.js'
import type { SourcePart } from '../source/rejected-lines.js'
import { reasonsPath, type Rejection } from '../source/rejection.js'
import type { Source } from '../source/source.js'
import type { State } from '../state/state.js'
import type { Emit } from './events.js'

export type RejectOptions = {
  /** A new file for the rejected lines, byte for byte. The reasons are in `FILE.reasons.jsonl`. With a state it may be left out. */
  readonly file?: string | undefined
  /** The most lines that may be rejected: a number, or a share such as `5%`. Default: 0, so that nothing is delivered. */
  readonly max?: LineLimit | undefined
}

export type PushRejectsOptions = RejectOptions & {
  readonly state: State | undefined
  readonly dryRun: boolean
  /** Whether the state must not get personal data. */
  readonly isFiltered: boolean
  readonly emit: Emit
}

type Tally = Pick<Inspection, 'records' | 'rejected'>

export class PushRejects {
  #collector = new RejectCollector()
  #rejectedBefore = 0
  #unfinished = 0
  #isSaved = false

  constructor(private readonly options: PushRejectsOptions) {}

  note(rejection: Rejection): void {
    this.#collector.note(rejection)
  }

  /**
   * Forgets the rejected lines, because another push has enqueued a part of the sources and they are read again. What was saved
   * stays: that push has rejected the same lines.
   */
  restart(): void {
    this.close()
    this.#collector = new RejectCollector()
    this.#rejectedBefore = this.#unfinished = 0
  }

  /** Frees what the rejected lines occupy. */
  close(): void {
    this.#collector.close()
  }

  /** The part without the lines that were rejected so far. Line numbers and byte offsets stay the same. */
  accepted(part: SourcePart): Source {
    return this.#collector.accepted(part)
  }

  /** The last rejected line of a source. */
  lastOf(source: string): Rejection | undefined {
    return this.#collector.lastOf(source)
  }

  /**
   * Whether the records may be delivered without the lines that were rejected so far. Called after each check that rejected lines.
   * @param commitSha the commit of the accepted records; without one, nothing can be delivered
   * @param unfinished number of newly rejected lines that do not count, because they may still be being written
   */
  tolerates(inspections: readonly Tally[], commitSha: string | undefined, unfinished = 0): boolean {
    const isTolerated = this.#count(inspections, commitSha, unfinished)
    if (!isTolerated && this.#isSaved) this.options.emit({ type: 'rejects-saved', rejects: undefined })
    return isTolerated
  }

  #count(inspections: readonly Tally[], commitSha: string | undefined, unfinished: number): boolean {
    const { rejected } = this.#collector
    // A check that rejects no further line would be repeated forever.
    if (commitSha === undefined || rejected === this.#rejectedBefore) return false
    const checked = inspections.reduce((all, one) => all + one.records + one.rejected, 0)
    const most = mostLines(this.options.max ?? 0, this.#rejectedBefore + checked)
    this.#rejectedBefore = rejected
    this.#unfinished += unfinished
    return most > 0 && rejected - this.#unfinished <= most
  }

  /**
   * Stores the rejected lines durably, before any record is enqueued or delivered.
   * @throws {IngestError} when they cannot be stored, or the file holds something else
   */
  async save(parts: readonly SourcePart[], commitSha: string | undefined): Promise<void> {
    const { file, state, dryRun, emit, isFiltered } = this.options
    const { rejected } = this.#collector
    if (rejected === 0) return
    let id: string | undefined
    if (!dryRun) {
      const set = await this.#collector.collect(parts, commitSha)
      id = set.id
      if (state !== undefined && isFiltered) await assertNoPersonalData(set)
      if (file !== undefined) await writeRejectFiles(file, { lines: set.lines(), reasons: set.reasons() })
      if (state !== undefined) await (await import('../state/rejects.js')).storeRejects(state, commitSha ?? '', set)
    }
    this.#isSaved = true
    emit({ type: 'rejects-saved', rejects: { rejected, id, file, isInState: state !== undefined } })
  }
}

/** @throws {IngestError} `bad_data`, because a line that is no record is stored byte for byte or not at all */
async function assertNoPersonalData({ lines }: RejectSet): Promise<void> {
  const [{ findPersonalData }, { chunkReader }, { lineBlocks }] = await Promise.all([
    import('../pii/detect.js'),
    import('../source/byte-reader.js'),
    import('../source/lines.js'),
  ])
  const chunks = chunkReader(Readable.from(lines()), async () => undefined)
  for await (const { bytes } of lineBlocks(chunks)) {
    const found = await findPersonalData([bytes.toString()])
    if (found.every(({ length }) => length === 0)) continue
    const message = 'a rejected line holds personal data, which --pii cannot mask or drop in a line that is no record'
    throw new IngestError('bad_data', message, { hint: 'repair or remove the rejected lines, then push again' })
  }
}

function mostLines(max: LineLimit, lines: number): number {
  return typeof max === 'number' ? max : (lines * parseFloat(max)) / 100
}

/** @throws {IngestError} `usage` when rejected lines could be lost, or would be written into a source */
export function assertRejectsFit(
  { file }: RejectOptions,
  { sources, state }: { readonly sources: readonly Source[]; readonly state: State | undefined },
): void {
  if (file === undefined && state === undefined) {
    const hint = 'give --rejects FILE, or --state'
    throw new IngestError('usage', 'rejected lines need a place, so that they are not lost', { hint })
  }
  const names = sources.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    throw new IngestError('usage', `${twice} is named twice, so its rejected lines would be, too`, {
      hint: 'name it once',
    })
  assertNotRead(file === undefined ? [] : [file, reasonsPath(file)], names)
}
