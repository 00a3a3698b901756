/** Checks the new parts of sources: every line, and whether every target can hold every record. */

import type { Commit, RunMeta } from '../../contract/commit.js'
import { sourceRange } from '../../contract/delivery-origin.js'
import type { Hash64 } from '../../contract/hash64.js'
import { lowestIn } from '../../contract/version-set.js'
import type { DimensionCheck } from '../../pii/dimension-check.js'
import type { PiiFilter } from '../../pii/pii-filter.js'
import { sliceReader } from '../../source/byte-reader.js'
import type { Delivery } from '../../source/delivery.js'
import { inspect, type Inspection } from '../../source/inspect.js'
import type { SourcePart } from '../../source/rejected-lines.js'
import type { RejectionCode } from '../../source/rejection.js'
import { findNewPart, type NewPart } from '../../source/resume.js'
import type { Source } from '../../source/source.js'
import type { Position } from '../../state/head.js'
import type { NewLines } from '../../state/outbox.js'
import type { Emit } from '../events.js'
import type { PushRejects } from '../push-rejects.js'
import { flawEvents, isRefused, warnOfDimensions } from '../read-files.js'
import type { RowCache } from '../row-cache.js'
import { linesOf, rowsOf } from '../rows.js'
import type { PreparedTargets } from './registrations.js'

/** A source, compared with the position up to which it was enqueued before. */
export type Found = {
  readonly name: string
  readonly source: Source
  readonly position: Position | undefined
  /** The new part; undefined when the file's metadata shows that it has not been written to. */
  readonly rest: NewPart | undefined
}

export type Fresh = Found & { readonly rest: NewPart }

export type CheckPartsOptions = {
  readonly commitSha?: string | undefined
  readonly contractVersion?: number | undefined
  readonly commit: Commit | undefined
  readonly findCommit: (sha: string | undefined) => Promise<Commit>
  readonly run: RunMeta
  readonly hash: Hash64
  readonly cache?: RowCache<string> | undefined
  readonly emit: Emit
  readonly prepared: Promise<PreparedTargets>
  readonly pii?: PiiFilter | undefined
  /** Warns of personal data that cannot be masked. */
  readonly dimensions?: DimensionCheck | undefined
  readonly rejects: PushRejects | undefined
  readonly fullRefresh: boolean
  readonly signal: AbortSignal
  /** Makes the id of a batch. */
  readonly newId: () => string
  /** Whether the parts were checked before, with lines that were rejected. */
  readonly isRepeated?: boolean
}

export type CheckedParts = {
  readonly fresh: readonly Fresh[]
  readonly inspections: readonly Inspection[]
  /** The lines to append to the outbox; empty when lines were rejected. */
  readonly additions: readonly NewLines[]
  readonly isRejected: boolean
}

async function checkParts(fresh: readonly Fresh[], options: CheckPartsOptions): Promise<CheckedParts> {
  const { commitSha, emit, findCommit, newId, pii, prepared, signal } = options
  const ids = fresh.map(newId)
  const inspections: Inspection[] = []
  for (const [index, one] of fresh.entries()) inspections.push(await inspectRest(one, ids[index]!, options))
  await warnOfDimensions(options)
  const refused = { fresh, inspections, additions: [], isRejected: true }
  if (inspections.some(({ rejected }) => rejected > 0)) return refused
  if (fresh.length === 0) return { ...refused, isRejected: false }
  const commit = options.commit ?? (await findCommit(commitSha))
  const additions = fresh.map((one, index) =>
    newLines(one, { id: ids[index]!, inspection: inspections[index]!, signal, pii }),
  )
  const deliveries = additions.map((lines, index) => deliveryOf(lines, fresh[index]!, { ...options, commit }))
  const { targets } = await prepared
  let isAnyRefused = false
  for (const { opener } of targets) isAnyRefused = (await isRefused(deliveries, opener, emit)) || isAnyRefused
  return isAnyRefused ? refused : { fresh, inspections, additions, isRejected: false }
}

/**
 * Checks the parts, and again without the lines that were rejected, as long as the command tolerates them. A rejected last line
 * without a line feed may still be being written, so it does not count.
 */
export async function checkTolerantly(fresh: readonly Fresh[], options: CheckPartsOptions): Promise<CheckedParts> {
  const { rejects, commitSha } = options
  const first = await checkParts(fresh, options)
  if (!first.isRejected || rejects === undefined) return first
  const unfinished = fresh.map((one, index) => unfinishedByte(one, first.inspections[index]!, rejects))
  const count = unfinished.filter(byte => byte !== undefined).length
  let checked = first
  while (checked.isRejected && rejects.tolerates(checked.inspections, commitSha, checked === first ? count : 0)) {
    const accepted = await Promise.all(fresh.map((one, index) => withoutRejected(one, unfinished[index], options)))
    const parts = accepted.filter(({ rest }) => rest.change !== 'unchanged')
    checked = await checkParts(parts, { ...options, isRepeated: true })
  }
  return checked
}

/** Codes of lines that may be the beginning of a record. */
const UNFINISHED: readonly RejectionCode[] = ['invalid_json', 'invalid_utf8', 'line_too_long']

/** The offset of a rejected last line that may still be being written; undefined when there is none. */
function unfinishedByte(one: Fresh, { lines }: Inspection, rejects: PushRejects): number | undefined {
  const last = one.rest.isOpenEnded ? rejects.lastOf(one.source.name) : undefined
  if (last === undefined || last.line !== partOf(one).linesBefore + lines) return undefined
  return UNFINISHED.includes(last.code) ? last.byte : undefined
}

/** @param unfinished the offset of the last line, which the next push then reads again; undefined when the line is complete */
async function withoutRejected(
  one: Fresh,
  unfinished: number | undefined,
  { rejects, fullRefresh }: CheckPartsOptions,
): Promise<Fresh> {
  const { source, position } = one
  const rest =
    unfinished === undefined
      ? one.rest
      : await findNewPart(endingAt(source, unfinished), fullRefresh ? undefined : position)
  return { ...one, rest: { ...rest, source: rejects!.accepted({ ...partOf(one), source: rest.source }) } }
}

/** The first bytes of a source. Later bytes may be added at any time, so its metadata says nothing. */
function endingAt(source: Source, bytes: number): Source {
  return {
    ...source,
    open: async () => sliceReader(await source.open(), { skipped: 0, bytes }),
    stat: () => Promise.resolve(''),
  }
}

export function partOf({ rest, position }: Fresh): SourcePart {
  return { source: rest.source, linesBefore: rest.skipped > 0 ? (position?.lines ?? 0) : 0 }
}

function inspectRest(one: Fresh, id: string, options: CheckPartsOptions): Promise<Inspection> {
  const { cache, dimensions, emit, signal, commitSha, contractVersion, isRepeated } = options
  const { source, skipped } = one.rest
  const { linesBefore } = partOf(one)
  const { onRejection, onWarning } = flawEvents(emit, isRepeated)
  return inspect(source, {
    ...{ commitSha, contractVersion, linesBefore, oneCommit: true, signal },
    onBatch:
      (cache ?? dimensions) &&
      (batch => {
        cache?.add(id, batch)
        dimensions?.collect(batch, { source: source.name, linesBefore })
      }),
    onRejection: found => onRejection({ ...found, line: found.line + linesBefore, byte: found.byte + skipped }),
    onWarning: found => onWarning(found.line === 0 ? found : { ...found, line: found.line + linesBefore }),
  })
}

type Checked = { readonly id: string; readonly inspection: Inspection; readonly signal: AbortSignal } & Pick<
  CheckPartsOptions,
  'pii'
>

function newLines(one: Fresh, { id, inspection, signal, pii }: Checked): NewLines {
  const { name, source, rest, position } = one
  const { linesBefore } = partOf(one)
  // A last line without a line feed counts as incomplete: the next part continues it.
  const lines = linesBefore + inspection.lines - (rest.isOpenEnded ? 1 : 0)
  return {
    ...{ id, source: source.name, linesBefore },
    ...{ records: inspection.records, counts: inspection.counts, fits: inspection.fits },
    lines: () => {
      const lines = linesOf(rest.source, signal)
      return pii === undefined ? lines : pii.lines(lines, source.name)
    },
    range: sourceRange(source.name, { fingerprint: rest.whole.fingerprint, linesBefore, lines: inspection.lines }),
    position: { name, from: position, to: { path: source.name, lines, ...rest.whole } },
  }
}

/** The delivery as it is shown to targets that may refuse records. */
function deliveryOf(
  { source, counts, fits, lines, linesBefore }: NewLines,
  { rest }: Fresh,
  { run, hash, commit }: CheckPartsOptions & { readonly commit: Commit },
): Delivery {
  return {
    ...{ source, commit, counts, fits, lines },
    run: { ...run, schema_version: lowestIn(fits) },
    locateLine: async (line, byte) => ({ source, line: linesBefore + line, byte: rest.skipped + byte }),
    rows: () => rowsOf(lines(), { name: source, hash }),
    assertMayCommit: () => Promise.resolve(),
  }
}
