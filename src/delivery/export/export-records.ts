/** Writes the records of a source in a file format: JSON lines in one file, or one table for each kind. */

import type { Kind } from '../../contract/kinds.js'
import { ALL_VERSIONS } from '../../contract/version-set.js'
import { COMMITS_TABLE, tableOf, type Table } from '../../formats/table.js'
import type { TableEncoder, TableFormat } from '../../formats/table-encoder.js'
import type { RecordSource } from './record-source.js'

/** A file that is being written. */
export interface ExportFile {
  write(bytes: Uint8Array): Promise<void> | void
  /** Whether nobody reads the file any more, as after `export … | head`. */
  readonly isClosed?: boolean
}

export type ExportedLines = {
  readonly records: number
  /** Whether the records fit no single contract version, so that a push would refuse them as one file. */
  readonly isMixed: boolean
}

export async function exportJsonLines(source: RecordSource, file: ExportFile): Promise<ExportedLines> {
  let exported = 0
  let common = ALL_VERSIONS
  for await (const { records, fits, lines } of source.records()) {
    if (file.isClosed === true) break
    await file.write(lines())
    exported += records
    common &= fits()
  }
  return { records: exported, isMixed: common === 0 }
}

export type ExportTablesOptions = {
  readonly format: TableFormat
  /** The tables to write, also those that have no rows. */
  readonly kinds: readonly Kind[]
  /** Whether to write the table of commits, too, if the source has it. */
  readonly withCommits: boolean
  /** Creates the file of a table. Files are created one after another. */
  readonly create: (table: string) => Promise<ExportFile>
}

/** @returns the number of records */
export async function exportTables(source: RecordSource, options: ExportTablesOptions): Promise<number> {
  const { kinds, withCommits, create } = options
  const encode = await loadEncoder(options.format)
  let exported = 0
  const pages = source.records()
  let page = await pages.next()
  for (const kind of kinds) {
    const table = new TableFile(encode(tableOf(kind)), await create(kind.table))
    for (; page.done !== true && page.value.kind === kind && !table.isClosed; page = await pages.next()) {
      for (const row of page.value.rows()) await table.add(row)
      exported += page.value.records
    }
    await table.end()
    if (table.isClosed) break
  }
  await pages.return(undefined)
  if (withCommits && source.commits !== undefined) {
    const table = new TableFile(encode(COMMITS_TABLE), await create(COMMITS_TABLE.name))
    for await (const commits of source.commits())
      for (const { sha, ...columns } of commits) await table.add({ commit_sha: sha, ...columns })
    await table.end()
  }
  return exported
}

/** Loads only the code of the format that is named. */
async function loadEncoder(format: TableFormat): Promise<(table: Table) => TableEncoder> {
  if (format === 'csv') return (await import('../../formats/csv.js')).csvEncoder
  return (await import('../../formats/parquet-writer.js')).parquetEncoder
}

class TableFile {
  constructor(
    private readonly encoder: TableEncoder,
    private readonly file: ExportFile,
  ) {}

  get isClosed(): boolean {
    return this.file.isClosed === true
  }

  async add(row: Parameters<TableEncoder['add']>[0]): Promise<void> {
    const bytes = this.encoder.add(row)
    if (bytes.length > 0) await this.file.write(bytes)
  }

  async end(): Promise<void> {
    await this.file.write(this.encoder.end())
  }
}
