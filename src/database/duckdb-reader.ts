/** Reads the records of a DuckDB file. The file is opened for reading only, so its content does not change. */

import { tmpdir } from 'node:os'
import { COMMIT_FIELDS, type Commit } from '../contract/commit.js'
import type { Kind } from '../contract/kinds.js'
import { IngestError, messageOf } from '../errors.js'
import { NULLABLE_COMMIT_FIELDS } from './queries/stored-records.js'
import type { StoredRow } from './queries/rows.js'
import { assertReadableColumns, type FoundColumn } from './readable-types.js'
import type { ReaderFilter, RecordReader } from './record-reader.js'

type DuckDB = typeof import('@duckdb/node-api')
type Connection = Awaited<ReturnType<Awaited<ReturnType<DuckDB['DuckDBInstance']['create']>>['connect']>>

/** Sorting needs memory beside that of this program. More goes to temporary files. */
const MEMORY_LIMIT = '512MB'

export type DuckDBReader = RecordReader & { readonly close: () => void }

/** @throws {IngestError} `no_input`, `input_corrupt`, and `bad_data` for tables that cannot be copied */
export async function openDuckDB(path: string, filter: ReaderFilter): Promise<DuckDBReader> {
  const { DuckDBInstance } = await loadDuckDB()
  const settings = {
    ...{ access_mode: 'READ_ONLY', memory_limit: MEMORY_LIMIT, temp_directory: tmpdir() },
    ...{ autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' },
  }
  const instance = await DuckDBInstance.create(path, settings).catch((cause: unknown) => {
    const [problem = ''] = messageOf(cause).split('\n')
    throw new IngestError('input_corrupt', `${path}: ${problem}`, {
      cause,
      hint: 'check that it is a DuckDB file that no other program writes',
    })
  })
  const reader = new Reader(path, () => instance.connect(), filter)
  try {
    await reader.begin()
  } catch (error) {
    instance.closeSync()
    throw error
  }
  return {
    commits: after => reader.commits(after),
    records: (kind, after) => reader.records(kind, after),
    count: kind => reader.count(kind),
    close: () => instance.closeSync(),
  }
}

/** @throws {IngestError} `config_invalid` when the package is not installed */
async function loadDuckDB(): Promise<DuckDB> {
  try {
    return await import('@duckdb/node-api')
  } catch (cause) {
    throw new IngestError('config_invalid', 'the package that reads DuckDB files is not installed', {
      cause,
      hint: 'npm install @duckdb/node-api (with --global when vortex-ingest is installed so)',
    })
  }
}

type Row = Readonly<Record<string, string | null>>

class Reader {
  #columns: ReadonlyMap<string, readonly FoundColumn[]> = new Map()

  constructor(
    private readonly path: string,
    private readonly connect: () => Promise<Connection>,
    private readonly filter: ReaderFilter,
  ) {}

  async begin(): Promise<void> {
    const found: FoundColumn[] = []
    const text = `SELECT table_name AS "table", column_name AS "column", regexp_replace(data_type, '\\(.*\\)', '') AS type
      FROM information_schema.columns WHERE table_catalog = current_database() AND table_schema = 'main'`
    for await (const rows of this.#rows(text)) found.push(...(rows as unknown as readonly FoundColumn[]))
    this.#columns = assertReadableColumns('DuckDB', found)
  }

  async *commits(after = ''): AsyncGenerator<readonly Commit[]> {
    const columns = COMMIT_FIELDS.map(field => {
      if (field === 'sha') return 'commit_sha AS sha'
      if (field === 'timestamp') return 'epoch_us(timestamp)::VARCHAR AS timestamp'
      return NULLABLE_COMMIT_FIELDS.includes(field)
        ? `coalesce(${field}::VARCHAR, '') AS ${field}`
        : `${field}::VARCHAR AS ${field}`
    })
    const where = ['commit_sha > $1', ...this.#times()].join(' AND ')
    for await (const rows of this.#rows(
      `SELECT ${columns.join(', ')} FROM main.commits WHERE ${where} ORDER BY commit_sha`,
      [after],
    ))
      yield rows.map(row => ({ ...row, timestamp: timeOf(row['timestamp'] ?? null) }) as unknown as Commit)
  }

  async *records(kind: Kind, after = ''): AsyncGenerator<readonly StoredRow[]> {
    const columns = this.#columns.get(kind.table)!.map(textColumn)
    const text = `SELECT ${columns.join(', ')} FROM main.${kind.table} WHERE ${this.#where()} ORDER BY ${kind.table}.commit_sha, ${kind.table}.measurement_id`
    yield* this.#rows(text, [after]) as AsyncGenerator<readonly StoredRow[]>
  }

  async count({ table }: Kind): Promise<number> {
    for await (const [row] of this.#rows(`SELECT count(*)::VARCHAR AS n FROM main.${table} WHERE ${this.#where()}`, [
      '',
    ]))
      return Number(row?.['n'])
    return 0
  }

  #where(): string {
    const times = this.#times().join(' AND ')
    const timed = times === '' ? [] : [`commit_sha IN (SELECT commit_sha FROM main.commits WHERE ${times})`]
    // Rows without a commit are read, too, so that they are refused and not passed over.
    return ["coalesce(commit_sha, '') > $1 OR commit_sha IS NULL", ...timed].map(one => `(${one})`).join(' AND ')
  }

  #times(): readonly string[] {
    const { since, until } = this.filter
    return [
      ...(since === undefined ? [] : [`epoch_us(timestamp) >= ${Date.parse(since)}000`]),
      ...(until === undefined ? [] : [`epoch_us(timestamp) < ${Date.parse(until)}000`]),
    ]
  }

  /** Runs a query on a connection of its own, because a connection streams one result at a time. */
  async *#rows(text: string, values: readonly string[] = []): AsyncGenerator<readonly Row[]> {
    const connection = await this.connect()
    try {
      const result = await connection.stream(text, [...values])
      for await (const rows of result.yieldRowObjectJson()) yield rows as readonly Row[]
    } catch (cause) {
      const [problem = ''] = messageOf(cause).split('\n')
      throw new IngestError('input_corrupt', `${this.path}: ${problem}`, { cause })
    } finally {
      connection.closeSync()
    }
  }
}

/** A column as the text that Postgres would return. */
function textColumn({ column, type }: FoundColumn): string {
  if (!type.endsWith('[]')) return `${column}::VARCHAR AS ${column}`
  const items = `list_transform(${column}, item -> coalesce(item::VARCHAR, 'NULL'))`
  return `'{' || array_to_string(${items}, ',') || '}' AS ${column}`
}

/** @param micros microseconds since 1970 @returns RFC 3339 */
function timeOf(micros: string | null): string | null {
  if (micros === null) return null
  const ms = Number(BigInt(micros) / 1000n)
  if (Math.abs(ms) > 8.64e15) return null
  return new Date(ms).toISOString().replace('Z', `${micros.slice(-3)}Z`)
}
