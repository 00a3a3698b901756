/** Detects the contract version of a database by its columns. */

import { CONTRACT, kindIn, type Kind } from '../contract/kinds.js'
import { assertColumnTypes, columnList } from './column-types.js'
import type { SqlSession } from './session.js'

/**
 * Statements that fail with SQLSTATE 42703 unless the database has the columns that later contract versions added to
 * these kinds. They are sent together with a delivery's BEGIN, so the check costs no round trip and precedes all rows.
 */
export function columnProbes(kinds: readonly Kind[]): readonly string[] {
  return kinds.flatMap(({ table, fields }) => {
    const names = fields.filter(({ since }) => since > 1).map(({ name }) => name)
    return names.length === 0 ? [] : [`SELECT ${names.join(', ')} FROM public.${table} LIMIT 0`]
  })
}

/** Fails with a hint when the tables of the contract are missing, or when one of their columns cannot hold every value. */
export async function assertTables(session: SqlSession): Promise<void> {
  const [found] = await session.query<{ columns: readonly string[] }>(`SELECT ${columnList(CONTRACT.kinds)} AS columns`)
  assertColumnTypes(found!.columns)
}

/** The newest contract version of which the database has every column. */
export async function databaseVersion(session: SqlSession): Promise<number> {
  const found = await session.query<{ column: string }>(
    `SELECT relname || '.' || attname AS column FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
     WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped AND relname || '.' || attname = ANY ($1)`,
    [ADDED_COLUMNS.map(({ column }) => column)],
  )
  const has = new Set(found.map(({ column }) => column))
  const missing = ADDED_COLUMNS.filter(({ column }) => !has.has(column)).map(({ since }) => since)
  return Math.min(...missing, CONTRACT.version + 1) - 1
}

const atNewest = new WeakSet<SqlSession>()

/**
 * `databaseVersion`, asked only once for a session whose database has every column. A database that lacks some is asked
 * again each time, because it may be migrated while the session is open.
 */
export async function readableVersion(session: SqlSession): Promise<number> {
  if (atNewest.has(session)) return CONTRACT.version
  const version = await databaseVersion(session)
  if (version === CONTRACT.version) atNewest.add(session)
  return version
}

/** A kind in the contract version of the database. @param newest the kind in the newest contract version */
export async function storedKind(session: SqlSession, newest: Kind): Promise<Kind> {
  return kindIn(await readableVersion(session), newest)
}

const ADDED_COLUMNS = CONTRACT.kinds.flatMap(({ table, fields }) =>
  fields.filter(({ since }) => since > 1).map(({ name, since }) => ({ column: `${table}.${name}`, since })),
)
