/** Deliveries to targets of an older contract version, and the fields and records that such targets cannot hold. */

import { CONTRACT, kindIn, type Field, type Kind } from '../contract/kinds.js'
import { highestIn, lowestIn, type VersionSet } from '../contract/version-set.js'
import { IngestError } from '../errors.js'
import { STRIDE, ABSENT, type RecordBatch } from './record-batch.js'
import type { LineBlock } from './lines.js'
import { readRecords } from './records.js'

/** The number of records of one kind that have a field which the target lacks. */
export type FieldCount = { readonly kind: string; readonly field: string; readonly records: number }

export type Downgrade = {
  /** The contract version of the target. */
  readonly version: number
  /** Fields that the target lacks and that are left out of their records. */
  readonly fieldsLeftOut: readonly FieldCount[]
  /** Records that are not sent, because the target lacks one of their dimensions and would confuse them with others. */
  readonly recordsNotSent: readonly FieldCount[]
}

/** Fields of a kind that contract versions after `version` added. */
function fieldsAfter(version: number, kind: Kind): readonly Field[] {
  return newestKind(kind).fields.filter(field => field.since > version)
}

function newestKind({ kind }: Kind): Kind {
  return CONTRACT.kinds.find(({ kind: name }) => name === kind)!
}

type Lines = { readonly source: string; readonly lines: () => AsyncIterable<LineBlock> }

/** Reads a delivery once and counts the fields and records that a target of `version` cannot hold. */
export async function planDowngrade({ source, lines }: Lines, version: number): Promise<Downgrade> {
  const leftOut = new FieldCounts()
  const notSent = new FieldCounts()
  for await (const { batch } of readRecords(lines(), { source }))
    for (let row = 0; row < batch.count; row++) {
      const kind = batch.kindOf(row)
      const dimension = unknownDimension(batch, row, version)
      if (dimension !== undefined) notSent.add(kind, dimension)
      else for (const field of fieldsAfter(version, kind)) if (hasField(batch, row, field)) leftOut.add(kind, field)
    }
  return { version, fieldsLeftOut: leftOut.list(), recordsNotSent: notSent.list() }
}

/** Counts records by kind and field. */
export class FieldCounts {
  readonly #counts = new Map<Field, { kind: string; field: string; records: number }>()

  add({ kind }: Kind, field: Field): void {
    const count = this.#counts.get(field) ?? { kind, field: field.name, records: 0 }
    count.records++
    this.#counts.set(field, count)
  }

  list(): readonly FieldCount[] {
    return [...this.#counts.values()]
  }
}

/** The dimension of a row that `version` lacks and whose value differs from the default; undefined if there is none. */
export function unknownDimension(batch: RecordBatch, row: number, version: number): Field | undefined {
  return fieldsAfter(version, batch.kindOf(row)).find(
    field => field.dimension && hasField(batch, row, field) && fieldText(batch, row, field) !== field.conditional,
  )
}

function hasField(batch: RecordBatch, row: number, field: Field): boolean {
  return batch.starts[row * STRIDE + fieldIndex(batch, row, field)] !== ABSENT
}

function fieldText(batch: RecordBatch, row: number, field: Field): string | undefined {
  return batch.text(row, fieldIndex(batch, row, field))
}

function fieldIndex(batch: RecordBatch, row: number, field: Field): number {
  return batch.kindOf(row).fields.indexOf(field)
}

/** The number of records of a kind that are not sent. */
export function countNotSent(downgrade: Downgrade | undefined, kind: string): number {
  const counts = downgrade?.recordsNotSent ?? []
  return counts.filter(count => count.kind === kind).reduce((sum, { records }) => sum + records, 0)
}

/** The number of records of each kind that are sent, by kind name, without kinds that have none. */
export function sentCounts(
  counts: ReadonlyMap<string, number>,
  downgrade: Downgrade | undefined,
): ReadonlyMap<string, number> {
  if (downgrade === undefined) return counts
  const sent = [...counts].map(([kind, count]) => [kind, count - countNotSent(downgrade, kind)] as const)
  return new Map(sent.filter(([, count]) => count > 0))
}

/** Merges the downgrades of several deliveries to one target. Undefined when nothing was left out. */
export function mergeDowngrades(downgrades: readonly (Downgrade | undefined)[]): Downgrade | undefined {
  const found = downgrades.filter(downgrade => downgrade !== undefined)
  const [first] = found
  if (first === undefined) return undefined
  return {
    version: first.version,
    fieldsLeftOut: mergeCounts(found.flatMap(({ fieldsLeftOut }) => fieldsLeftOut)),
    recordsNotSent: mergeCounts(found.flatMap(({ recordsNotSent }) => recordsNotSent)),
  }
}

function mergeCounts(counts: readonly FieldCount[]): readonly FieldCount[] {
  const sums = new Map<string, FieldCount>()
  for (const count of counts) {
    const key = `${count.kind}.${count.field}`
    sums.set(key, { ...count, records: (sums.get(key)?.records ?? 0) + count.records })
  }
  return [...sums.values()]
}

type VersionMismatch = {
  /** The target as named in messages, without secrets. */
  readonly target: string
  readonly version: number
  readonly delivery: { readonly fits: VersionSet; readonly counts: ReadonlyMap<string, number> }
}

/** The error for records that are newer than their target. */
export function olderTargetError({ target, version, delivery: { fits, counts } }: VersionMismatch): IngestError {
  const needed = lowestIn(fits)
  const missing = deliveredKinds(counts, needed).flatMap(kind =>
    kind.fields.filter(({ since }) => since > version).map(({ name }) => `${name} of ${kind.kind}`),
  )
  const message = `${target} is at contract version ${version} but the records are of version ${needed}: the target lacks ${missing.join(', ')}`
  const hint = 'upgrade the target (a database: `vortex-ingest migrate`), or leave these fields out with --downgrade'
  return new IngestError('schema_version', message, { hint })
}

/** The error for records that are older than their server, because a server accepts only its own version. */
export function newerTargetError({ target, version, delivery: { fits } }: VersionMismatch): IngestError {
  const recordVersion = highestIn(fits)
  const message = `${target} is at contract version ${version} and accepts no older records, but these are of version ${recordVersion}`
  const hint = `write the file with an emitter of version ${version}, or push to a target that accepts version ${recordVersion}`
  return new IngestError('schema_version', message, { hint })
}

/** The kinds of which a delivery has records, as defined by a contract version. */
export function deliveredKinds(counts: ReadonlyMap<string, number>, version: number): readonly Kind[] {
  return CONTRACT.kinds.filter(({ kind }) => (counts.get(kind) ?? 0) > 0).map(kind => kindIn(version, kind))
}
