/**
 * Reads the records of a MySQL or MariaDB database. Each table is read in a snapshot of its own, because the protocol sends one result
 * at a time per connection and connections cannot share a snapshot.
 */

import type { Connection, ConnectionOptions } from 'mysql2'
import { COMMIT_FIELDS, type Commit } from '../contract/commit.js'
import { CONTRACT, type Kind } from '../contract/kinds.js'
import { IngestError, messageOf, systemCodeOf } from '../errors.js'
import type { StoredRow } from './queries/rows.js'
import { NULLABLE_COMMIT_FIELDS } from './queries/stored-records.js'
import { assertReadableColumns, type FoundColumn } from './readable-types.js'
import type { ReaderFilter, RecordReader } from './record-reader.js'

export type MysqlOptions = {
  readonly connection: ConnectionOptions
  /** The database as named in messages, without secrets. */
  readonly description: string
  readonly filter: ReaderFilter
  readonly signal: AbortSignal
}

export type MysqlReader = RecordReader & { readonly close: () => void }

const PAGE_ROWS = 1_000
/** The server waits this long for a client that does not read, because other tables are read meanwhile. */
const WRITE_TIMEOUT_SECONDS = 86_400

/** @throws {IngestError} when the database cannot be reached, and `bad_data` for tables that cannot be copied */
export async function openMysql(options: MysqlOptions): Promise<MysqlReader> {
  const reader = new Reader(await loadMysql(), options)
  try {
    await reader.begin()
  } catch (error) {
    reader.close()
    throw error
  }
  return reader
}

/** @throws {IngestError} `config_invalid` when the package is not installed */
async function loadMysql(): Promise<typeof import('mysql2')> {
  try {
    return await import('mysql2')
  } catch (cause) {
    throw new IngestError('config_invalid', 'the package that reads MySQL and MariaDB is not installed', {
      cause,
      hint: 'npm install mysql2 (with --global when vortex-ingest is installed so)',
    })
  }
}

type Cell = string | Buffer | null
type Row = Readonly<Record<string, Cell>>

class Reader implements MysqlReader {
  readonly #connections = new Map<string, Connection>()
  #columns: ReadonlyMap<string, readonly FoundColumn[]> = new Map()

  constructor(
    private readonly mysql: typeof import('mysql2'),
    private readonly options: MysqlOptions,
  ) {
    options.signal.addEventListener('abort', this.close)
  }

  /** Begins all snapshots. That of the commits is the last, so that it has the commits of all other tables. */
  async begin(): Promise<void> {
    const schema = await this.#open('columns')
    const found: FoundColumn[] = []
    const text = `SELECT TABLE_NAME AS "table", COLUMN_NAME AS "column", DATA_TYPE AS "type"
      FROM information_schema.columns WHERE table_schema = database()`
    for await (const rows of this.#pages(schema, text.replaceAll('"', '`'))) {
      for (const { table, column, type } of rows)
        found.push({ table: String(table), column: String(column), type: String(type) })
    }
    this.#columns = assertReadableColumns('MySQL and MariaDB', found)
    for (const table of [...this.#columns.keys()].filter(name => name !== 'commits')) await this.#open(table)
    await this.#open('commits')
  }

  async *commits(after = ''): AsyncGenerator<readonly Commit[]> {
    const columns = this.#columns.get('commits')!
    const text = this.#select('commits', this.#times())
    for await (const rows of this.#pages(this.#connections.get('commits')!, text, [after]))
      yield rows.map(row => {
        const cells = this.#texts(row, { table: 'commits', columns, key: 'commit_sha' })
        const fields = COMMIT_FIELDS.map(field => {
          const value = cells[field === 'sha' ? 'commit_sha' : field] ?? null
          return [field, value === null && NULLABLE_COMMIT_FIELDS.includes(field) ? '' : value] as const
        })
        return Object.fromEntries(fields) as unknown as Commit
      })
  }

  async *records({ table }: Kind, after = ''): AsyncGenerator<readonly StoredRow[]> {
    const columns = this.#columns.get(table)!
    const text = `${this.#select(table, this.#commitTimes())}, measurement_id`
    for await (const rows of this.#pages(this.#connections.get(table)!, text, [after]))
      yield rows.map(row => this.#texts(row, { table, columns, key: 'measurement_id' }) as StoredRow)
  }

  async count({ table }: Kind): Promise<number> {
    const conditions = ['TRUE', ...this.#commitTimes()].join(' AND ')
    const text = `SELECT CAST(count(*) AS CHAR) AS n FROM \`${table}\` WHERE ${conditions}`
    for await (const [row] of this.#pages(this.#connections.get(table)!, text)) return Number(row?.['n'])
    return 0
  }

  close = (): void => {
    this.options.signal.removeEventListener('abort', this.close)
    for (const connection of this.#connections.values()) connection.destroy()
  }

  #select(table: string, conditions: readonly string[]): string {
    const columns = this.#columns.get(table)!.map(selectText)
    const after = `(commit_sha IS NULL OR CAST(commit_sha AS BINARY) > CAST(? AS BINARY))`
    return `SELECT ${columns.join(', ')} FROM \`${table}\` WHERE ${[after, ...conditions].join(' AND ')}
      ORDER BY CAST(\`${table}\`.commit_sha AS BINARY)`
  }

  #commitTimes(): readonly string[] {
    const times = this.#times()
    return times.length === 0 ? [] : [`commit_sha IN (SELECT commit_sha FROM commits WHERE ${times.join(' AND ')})`]
  }

  #times(): readonly string[] {
    const { since, until } = this.options.filter
    // The session's time zone is UTC.
    const literal = (time: string): string => `'${new Date(time).toISOString().slice(0, -1).replace('T', ' ')}'`
    return [
      ...(since === undefined ? [] : [`\`timestamp\` >= ${literal(since)}`]),
      ...(until === undefined ? [] : [`\`timestamp\` < ${literal(until)}`]),
    ]
  }

  /** Opens a connection with a snapshot for one table. */
  async #open(name: string): Promise<Connection> {
    const connection = this.mysql.createConnection({
      ...this.options.connection,
      charset: 'utf8mb4',
      multipleStatements: false,
    })
    this.#connections.set(name, connection)
    // Reported by the query that it interrupts. Without a listener it would end the process.
    connection.on('error', () => undefined)
    await new Promise<void>((resolve, reject) => {
      connection.connect(cause => (cause ? reject(mysqlError(cause, this.options.description)) : resolve()))
    })
    const statements = [
      `SET SESSION time_zone = '+00:00', net_write_timeout = ${WRITE_TIMEOUT_SECONDS}`,
      'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ',
      'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY',
    ]
    for (const text of statements) for await (const _ of this.#pages(connection, text));
    return connection
  }

  /** Streams the rows of a query. The server sends them as fast as they are read. */
  async *#pages(connection: Connection, text: string, values: readonly string[] = []): AsyncGenerator<readonly Row[]> {
    const rows = connection.query(text, [...values]).stream({ highWaterMark: PAGE_ROWS })
    const onLost = (cause: Error): void => void rows.destroy(cause)
    connection.once('error', onLost)
    try {
      let page: Row[] = []
      for await (const row of rows) {
        // A statement without rows yields its status.
        if ((row as object).constructor.name === 'ResultSetHeader') continue
        page.push(row as Row)
        if (page.length < PAGE_ROWS) continue
        yield page
        page = []
      }
      if (page.length > 0) yield page
    } catch (cause) {
      this.options.signal.throwIfAborted()
      throw cause instanceof IngestError ? cause : mysqlError(cause, this.options.description)
    } finally {
      connection.off('error', onLost)
    }
  }

  /** @throws {IngestError} `bad_data` for text that is not UTF-8 */
  #texts(row: Row, { table, columns, key }: TableFacts): Readonly<Record<string, string | null>> {
    const texts: Record<string, string | null> = {}
    for (const { column } of columns) {
      const text = decode(row[column] ?? null)
      if (text === undefined)
        throw new IngestError(
          'bad_data',
          `${table} ${String(row[key])}, column ${column}: its text is not valid UTF-8`,
          {
            hint: 'correct the row at the source; the records of the commits before it are copied',
          },
        )
      texts[column] = text !== null && LIST_COLUMNS.has(column) ? listText(text) : text
    }
    return texts
  }
}

type TableFacts = { readonly table: string; readonly columns: readonly FoundColumn[]; readonly key: string }

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @returns undefined for bytes that are not UTF-8 */
function decode(cell: Cell): string | null | undefined {
  if (cell === null || typeof cell === 'string') return cell
  try {
    return UTF8.decode(cell)
  } catch {
    return undefined
  }
}

const LIST_COLUMNS: ReadonlySet<string> = new Set(
  CONTRACT.kinds.flatMap(({ fields }) => fields.flatMap(({ name, type }) => (type === '[i64]' ? [name] : []))),
)

/** A JSON list of integers as Postgres writes a list. Any other text is left for the validation to reject. */
function listText(json: string): string {
  const [, items] = /^\s*\[(.*)\]\s*$/s.exec(json) ?? []
  return items === undefined ? `{${json}}` : `{${items.replace(/\s/g, '').replaceAll('null', 'NULL')}}`
}

const BYTES = ['varbinary', 'blob', 'mediumblob', 'longblob']
const TEXTS = ['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext', 'enum', 'json']

/** A column as text, or as the bytes of a text. */
function selectText({ column, type }: FoundColumn): string {
  const name = `\`${column}\``
  if (type === 'timestamp') return `DATE_FORMAT(${name}, '%Y-%m-%dT%H:%i:%s.%fZ') AS ${name}`
  if (BYTES.includes(type)) return `CAST(${name} AS BINARY) AS ${name}`
  if (TEXTS.includes(type)) return `CAST(CONVERT(${name} USING utf8mb4) AS BINARY) AS ${name}`
  return `CAST(${name} AS CHAR) AS ${name}`
}

function mysqlError(cause: unknown, description: string): IngestError {
  const code = systemCodeOf(cause) ?? ''
  const problem = `${description}: ${code === 'ECONNREFUSED' ? 'connection refused' : messageOf(cause)}`
  if (code === 'ER_ACCESS_DENIED_ERROR' || code === 'ER_DBACCESS_DENIED_ERROR')
    return new IngestError('auth_failed', problem, { cause, hint: 'check user and password' })
  if (code.startsWith('ER_') && (cause as { fatal?: boolean }).fatal !== true)
    return new IngestError('target_misconfigured', problem, {
      cause,
      hint: 'check the database and the rights of the user',
    })
  return new IngestError('target_unreachable', problem, { cause, hint: 'check host and port, and run the copy again' })
}
