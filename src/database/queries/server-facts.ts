/** Reads facts about a database: version, clock, rights of the current role, sizes of the tables. */

import { EXPECTED_TABLES } from '../expected-schema.js'
import type { SqlSession } from '../session.js'

export type ServerFacts = { readonly version: string; readonly readOnly: boolean }

export async function readServerFacts(session: SqlSession): Promise<ServerFacts | undefined> {
  const [facts] = await session.query<ServerFacts>(`
  SELECT current_setting('server_version') AS version,
    pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS "readOnly"`)
  return facts
}

/** The setting `synchronous_commit` of this role and database, and what set it, such as `user` or `database`. */
export async function readCommitSetting(
  session: SqlSession,
): Promise<{ readonly setting: string; readonly source: string } | undefined> {
  const [found] = await session.query<{ setting: string; source: string }>(
    `SELECT setting, source FROM pg_settings WHERE name = 'synchronous_commit'`,
  )
  return found
}

/** The server's time in milliseconds since 1970. */
export async function readServerTime(session: SqlSession): Promise<number> {
  const [row] = await session.query<{ there: string }>(
    'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint::text AS there',
  )
  return Number(row?.there)
}

export type TablePrivilege = { readonly object: string; readonly privilege: string; readonly granted: boolean }

/** Whether the current role has privileges on the tables of the contract that exist. */
export function readTablePrivileges(
  session: SqlSession,
  privileges: readonly string[],
): Promise<readonly TablePrivilege[]> {
  const tables = EXPECTED_TABLES.map(({ name }) => name)
  return session.query<TablePrivilege>(TABLE_PRIVILEGES, [tables, privileges])
}

const TABLE_PRIVILEGES = `
  SELECT name AS object, privilege, has_table_privilege(to_regclass('public.' || name), privilege) AS granted
  FROM unnest($1::text[]) AS name CROSS JOIN unnest($2::text[]) AS privilege
  WHERE to_regclass('public.' || name) IS NOT NULL
  ORDER BY 1, 2`

export type RolePrivileges = {
  readonly role: string
  readonly database: string
  readonly superuser: boolean
  readonly mayUse: boolean
  readonly mayCreate: boolean
  /** The right to create temporary tables. The staging tables are temporary. */
  readonly mayStage: boolean
}

/** Privileges of the current role on the schema and the database; undefined when the server does not list the role. */
export async function readRolePrivileges(session: SqlSession): Promise<RolePrivileges | undefined> {
  const [privileges] = await session.query<RolePrivileges>(`
  SELECT current_user::text AS role, rolsuper AS superuser,
    has_schema_privilege('public', 'USAGE') AS "mayUse", has_schema_privilege('public', 'CREATE') AS "mayCreate",
    has_database_privilege(current_database(), 'TEMP') AS "mayStage", current_database()::text AS database
  FROM pg_roles WHERE rolname = current_user`)
  return privileges
}

/** Tables larger than this are not counted when estimates are allowed. */
const COUNTED_BYTES = 64 * 1024 * 1024

export type RowCount = {
  /** Null when there is no estimate, because the table has been neither vacuumed nor analysed. */
  readonly rows: number | null
  readonly exact: boolean
}

/**
 * Counts the rows of every table, by table name.
 * @param exact whether large tables are counted, too, instead of answering the database's own estimate
 */
export async function countRows(
  session: SqlSession,
  { exact }: { readonly exact: boolean },
): Promise<ReadonlyMap<string, RowCount>> {
  const counts = new Map<string, RowCount>()
  for (const { name } of EXPECTED_TABLES)
    counts.set(name, exact ? await counted(session, name) : await countedOrEstimated(session, name))
  return counts
}

async function countedOrEstimated(session: SqlSession, table: string): Promise<RowCount> {
  const sizes = `SELECT pg_relation_size(oid)::text AS bytes, reltuples::bigint::text AS estimate FROM pg_class`
  const [size] = await session.query<{ bytes: string; estimate: string }>(
    `${sizes} WHERE oid = 'public.${table}'::regclass`,
  )
  if (Number(size?.bytes) > COUNTED_BYTES) {
    const estimate = Number(size?.estimate)
    return { rows: estimate < 0 ? null : estimate, exact: false }
  }
  return counted(session, table)
}

async function counted(session: SqlSession, table: string): Promise<RowCount> {
  const [row] = await session.query<{ rows: string }>(`SELECT count(*)::text AS rows FROM public.${table}`)
  return { rows: Number(row?.rows), exact: true }
}
