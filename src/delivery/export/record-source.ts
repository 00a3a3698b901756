/** Sources of an export: the records of a database, of a server or of an archive. */

import { wasmHash64 } from '../../contract/hash64.js'
import type { Commit } from '../../contract/commit.js'
import { CONTRACT, type Kind } from '../../contract/kinds.js'
import { ALL_VERSIONS, versionsFitting, type VersionSet } from '../../contract/version-set.js'
import { groupFields, type MeasurementGroup } from '../../database/queries/groups.js'
import type { StoredRow } from '../../database/queries/rows.js'
import { readCommitPages, readRecordPages, type StoredRecordFilter } from '../../database/queries/stored-records.js'
import { inSnapshot, type SqlSession } from '../../database/session.js'
import { recordLine, rowOfRecord } from '../../formats/json-lines.js'
import type { RecordBatch } from '../../source/record-batch.js'
import type { BucketStorage } from '../../storage/storage.js'
import { newestRecords } from '../../targets/archive/read.js'

export type ExportFilter = StoredRecordFilter & {
  /** Default: all kinds. */
  readonly kinds?: readonly Kind[] | undefined
}

/** Records of one kind. Valid until the next ones are requested. */
export type ExportedRecords = {
  readonly kind: Kind
  readonly records: number
  /** The contract versions that fit all of them. */
  readonly fits: () => VersionSet
  readonly rows: () => readonly StoredRow[]
  /** Lines with their line feeds. */
  readonly lines: () => Buffer
}

export type RecordSource = {
  /** The records, kind by kind in the order of the contract. */
  readonly records: () => AsyncGenerator<ExportedRecords>
  /** Absent for a source that does not store commits. */
  readonly commits?: () => AsyncGenerator<readonly Commit[]>
}

export type RecordSourceOptions = { readonly filter: ExportFilter; readonly signal: AbortSignal }

/** Calls `use` with the records of a database, all of which are read in one snapshot. */
export function withDatabaseRecords<T>(
  session: SqlSession,
  { filter, signal }: RecordSourceOptions,
  use: (source: RecordSource) => Promise<T>,
): Promise<T> {
  const records = async function* (): AsyncGenerator<ExportedRecords> {
    for (const kind of exportedKinds(filter))
      for await (const rows of readRecordPages(session, kind, { filter })) {
        signal.throwIfAborted()
        yield exportedRows(kind, rows)
      }
  }
  return inSnapshot(session, () => use({ records, commits: () => readCommitPages(session, { filter }) }))
}

/** The kinds that a filter leaves. */
export function exportedKinds({ kinds = CONTRACT.kinds, group }: ExportFilter): readonly Kind[] {
  return group === undefined ? kinds : kinds.filter(kind => kind.kind === group.kind.kind)
}

export function exportedRows(kind: Kind, rows: readonly StoredRow[]): ExportedRecords {
  const lines = (): Buffer => Buffer.from(rows.map(row => `${recordLine(kind, row)}\n`).join(''))
  const fitting = (row: StoredRow): VersionSet => versionsFitting(kind, field => (row[field] ?? null) !== null)
  const fits = (): VersionSet => rows.reduce((set, row) => set & fitting(row), ALL_VERSIONS)
  return { kind, records: rows.length, fits, rows: () => rows, lines }
}

/** The newest record of each measurement in an archive, with its line unchanged. */
export async function archiveRecords(
  objects: BucketStorage,
  { filter, signal }: RecordSourceOptions,
): Promise<RecordSource> {
  const hash = await wasmHash64()
  const { commit, group } = filter
  const isWanted = group === undefined ? undefined : isInGroup(group)
  const records = async function* (): AsyncGenerator<ExportedRecords> {
    const options = { commit, kinds: exportedKinds(filter), isWanted, hash, signal }
    for await (const { kind, batch, rows, lineOf } of newestRecords(objects, options))
      yield {
        kind,
        records: rows.length,
        fits: () => rows.reduce((set, row) => set & batch.fits[row]!, ALL_VERSIONS),
        rows: () => rows.map(row => rowOfRecord(batch, row)),
        lines: () => Buffer.concat(rows.map(lineOf)),
      }
  }
  return { records }
}

function isInGroup({ kind, values }: MeasurementGroup): (batch: RecordBatch, row: number) => boolean {
  const fields = groupFields(kind).map(field => kind.fields.indexOf(field))
  return (batch, row) => fields.every((field, index) => (batch.text(row, field) ?? null) === values[index])
}
