/** The ledger `_applied_migrations`: which files a database has, and since this program what was in them. */

import type { MigrationFile } from './migration-files.js'
import type { SqlSession } from './sql.js'

export type Ledger = {
  readonly exists: boolean
  /** Ledgers of before have no such column, and only their owner can add it. */
  readonly hasChecksums: boolean
  /** By name; undefined where no checksum was kept. */
  readonly applied: ReadonlyMap<string, string | undefined>
}

const CREATE = `
  CREATE TABLE IF NOT EXISTS public._applied_migrations (
    name text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now(),
    checksum text
  )`

const DESCRIBE = `
  SELECT to_regclass('public._applied_migrations') IS NOT NULL AS exists,
    EXISTS (
      SELECT FROM pg_attribute
      WHERE attrelid = to_regclass('public._applied_migrations') AND attname = 'checksum' AND NOT attisdropped
    ) AS "hasChecksums"`

/** Only reads. */
export async function readLedger(session: SqlSession): Promise<Ledger> {
  const [found] = await session.query<{ exists: boolean; hasChecksums: boolean }>(DESCRIBE)
  const { exists, hasChecksums } = found ?? { exists: false, hasChecksums: false }
  if (!exists) return { exists, hasChecksums, applied: new Map() }
  const checksum = hasChecksums ? 'checksum' : 'NULL'
  const rows = await session.query<{ name: string; checksum: string | null }>(
    `SELECT name::text AS name, ${checksum}::text AS checksum FROM public._applied_migrations ORDER BY name`,
  )
  return { exists, hasChecksums, applied: new Map(rows.map(row => [row.name, row.checksum ?? undefined])) }
}

/** Makes what is missing, as far as the role may: a ledger without checksums is a ledger, too. */
export async function prepareLedger(session: SqlSession): Promise<void> {
  const { exists, hasChecksums } = await readLedger(session)
  if (!exists) return session.execute(CREATE)
  if (hasChecksums) return
  const [row] = await session.query<{ owned: boolean }>(
    `SELECT pg_has_role(relowner, 'USAGE') AS owned FROM pg_class WHERE oid = 'public._applied_migrations'::regclass`,
  )
  if (row?.owned === true)
    await session.execute('ALTER TABLE public._applied_migrations ADD COLUMN IF NOT EXISTS checksum text')
}

export async function recordMigration(session: SqlSession, { name, checksum }: MigrationFile): Promise<void> {
  if ((await readLedger(session)).hasChecksums)
    await session.query('INSERT INTO public._applied_migrations (name, checksum) VALUES ($1, $2)', [name, checksum])
  else await session.query('INSERT INTO public._applied_migrations (name) VALUES ($1)', [name])
}
