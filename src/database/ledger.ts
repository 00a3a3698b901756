/**
 * The ledger `_applied_migrations`, which lists the migrations that were applied to a database.
 * @see docs/adr/0019-two-ledgers.md
 */

import { IngestError } from '../errors.js'
import type { MigrationFile } from './migration-files.js'
import type { SqlSession } from './session.js'

export type Ledger = {
  readonly exists: boolean
  /** False when the role has no SELECT on the ledger; `applied` is then empty. */
  readonly isReadable: boolean
  /** The column of file names: `name` in ledgers created by this program, `filename` in those of the other runner. */
  readonly key: 'name' | 'filename'
  /** False for ledgers of the other runner and for the oldest ledgers of this program, which have no checksum column. */
  readonly hasChecksums: boolean
  /** Checksums by file name. Undefined for files whose checksum was not recorded. */
  readonly applied: ReadonlyMap<string, string | undefined>
}

const NO_LEDGER: Ledger = { exists: false, isReadable: true, key: 'name', hasChecksums: false, applied: new Map() }

const CREATE = `
  CREATE TABLE IF NOT EXISTS public._applied_migrations (
    name text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now(),
    checksum text
  )`

const DESCRIBE = `
  SELECT has_table_privilege(attrelid, 'SELECT') AS "isReadable", array_agg(attname::text) AS columns
  FROM pg_attribute
  WHERE attrelid = to_regclass('public._applied_migrations') AND attnum > 0 AND NOT attisdropped
  GROUP BY attrelid`

type Description = { readonly isReadable: boolean; readonly columns: readonly string[] }

/** Reads the ledger. @throws {IngestError} `target_misconfigured` when the table is not a ledger of either runner */
export async function readLedger(session: SqlSession): Promise<Ledger> {
  const [found] = await session.query<Description>(DESCRIBE)
  if (found === undefined) return NO_LEDGER
  const { isReadable, columns } = found
  const key = keyColumn(columns)
  const hasChecksums = columns.includes('checksum')
  const applied = isReadable ? await readRows(session, { key, hasChecksums }) : new Map<string, undefined>()
  return { exists: true, isReadable, key, hasChecksums, applied }
}

function keyColumn(columns: readonly string[]): Ledger['key'] {
  if (columns.includes('filename')) return 'filename'
  if (columns.includes('name')) return 'name'
  const message = 'the table public._applied_migrations has neither a column name nor a column filename'
  throw new IngestError('target_misconfigured', message, { hint: 'another program created it: use another database' })
}

async function readRows(
  session: SqlSession,
  { key, hasChecksums }: Pick<Ledger, 'key' | 'hasChecksums'>,
): Promise<Ledger['applied']> {
  const checksum = hasChecksums ? 'checksum' : 'NULL'
  const rows = await session.query<{ name: string; checksum: string | null }>(
    `SELECT ${key}::text AS name, ${checksum}::text AS checksum FROM public._applied_migrations ORDER BY 1`,
  )
  return new Map(rows.map(row => [row.name, row.checksum ?? undefined]))
}

/** Whether a migration was applied, by this program or under other names by the other runner. */
export function isApplied({ key, applied }: Ledger, { name }: Pick<MigrationFile, 'name'>): boolean {
  return applied.has(name) || (key === 'filename' && hasEquivalents(applied.keys(), name))
}

/** Whether a migration is applied only on request, because the other runner made the database and does not know the file. */
export function isOnRequest({ key }: Ledger, { isOptional }: Pick<MigrationFile, 'isOptional'>): boolean {
  return key === 'filename' && isOptional
}

/** Names in the ledger that neither this program nor the other runner knows. */
export function unknownNames({ key, applied }: Ledger, files: readonly MigrationFile[]): readonly string[] {
  const own = new Set(files.map(({ name }) => name))
  return [...applied.keys()].filter(name => !own.has(name) && !(key === 'filename' && isOtherRunnersFile(name)))
}

/**
 * Creates the ledger, or adds the checksum column if it is missing and the role owns the ledger. A ledger of the other runner
 * is not changed.
 */
export async function prepareLedger(session: SqlSession): Promise<void> {
  const { exists, key, hasChecksums } = await readLedger(session)
  if (!exists) {
    await session.execute(CREATE)
    return
  }
  if (hasChecksums || key === 'filename') return
  const [row] = await session.query<{ owned: boolean }>(
    `SELECT pg_has_role(relowner, 'USAGE') AS owned FROM pg_class WHERE oid = 'public._applied_migrations'::regclass`,
  )
  if (row?.owned === true)
    await session.execute('ALTER TABLE public._applied_migrations ADD COLUMN IF NOT EXISTS checksum text')
}

/**
 * Records an applied migration.
 * @param ledger the ledger as read in the same transaction
 */
export async function recordMigration(session: SqlSession, file: MigrationFile, ledger: Ledger): Promise<void> {
  if (isOnRequest(ledger, file)) return
  const insert = `INSERT INTO public._applied_migrations (${ledger.key}`
  if (ledger.key === 'filename') {
    const names = ledgerNames(ledger.applied.keys(), file.name)
    const text = `${insert}) SELECT unnest($1::text[]) ON CONFLICT (filename) DO NOTHING`
    await session.query(text, [names])
  } else if (ledger.hasChecksums)
    await session.query(`${insert}, checksum) VALUES ($1, $2)`, [file.name, file.checksum])
  else await session.query(`${insert}) VALUES ($1)`, [file.name])
}

/**
 * The other migration runner created the production database. It identifies files by the ledger's column `filename` and reports
 * names it does not know. This table lists for each migration of this program the files of the other runner that together have
 * the same effect.
 * @see contract section 5
 */
const EQUIVALENTS: Readonly<Record<string, readonly string[]>> = {
  '001_tables.sql': ['001_initial_schema', '006_read_path_perf'],
  '002_indexes.sql': ['001_initial_schema', '006_read_path_perf', '007_summary_covering_index'],
  '003_roles.sql': ['002_iam_db_user', '003_migrator_ledger_grant', '004_ingest_role', '005_read_role'],
  '004_uncompressed_bytes.sql': ['009_compression_uncompressed_size'],
  '005_open_mode.sql': ['010_random_access_open_mode'],
}

/** Files that only the other runner may apply, because our migrations would create the same objects under other names. */
const FIRST = [...new Set(['001_tables.sql', '002_indexes.sql', '003_roles.sql'].flatMap(findEquivalents))].sort()

/** A file without a counterpart here, because table ownership is not part of the contract. */
const OWNERSHIP = '008_migrator_ownership'

const KNOWN = new Set([OWNERSHIP, ...Object.values(EQUIVALENTS).flat()])

/**
 * Finds the other runner's files that correspond to a migration.
 * @param migration file name of a migration of this program
 * @returns names without `.sql`; empty when there is no counterpart
 */
function findEquivalents(migration: string): readonly string[] {
  return EQUIVALENTS[migration] ?? []
}

/** @param filename name as stored in the ledger, with or without `.sql` */
function isOtherRunnersFile(filename: string): boolean {
  return KNOWN.has(withoutSuffix(filename))
}

/** Whether the ledger lists every counterpart of a migration. */
function hasEquivalents(applied: Iterable<string>, migration: string): boolean {
  const found = new Set([...applied].map(withoutSuffix))
  const equivalents = findEquivalents(migration)
  return equivalents.length > 0 && equivalents.every(name => found.has(name))
}

/** Files of the other runner up to 007 that the ledger does not list. */
export function missingFirstFiles(applied: Iterable<string>): readonly string[] {
  const found = new Set([...applied].map(withoutSuffix))
  return FIRST.filter(name => !found.has(name))
}

/**
 * The names to record in the other runner's ledger for a migration: its counterparts, so that the other runner does not
 * apply them again. The names end in `.sql` if the names already in the ledger do.
 */
function ledgerNames(applied: Iterable<string>, migration: string): readonly string[] {
  const equivalents = findEquivalents(migration)
  if (equivalents.length === 0) return [migration]
  const suffix = [...applied].some(name => name.endsWith('.sql')) ? '.sql' : ''
  return equivalents.map(name => name + suffix)
}

function withoutSuffix(filename: string): string {
  return filename.replace(/\.sql$/i, '')
}
