/** Reads what a Postgres server reports about itself, its clock, and the rights of the current role. */

import { EXPECTED_TABLES } from '../expected-schema.js'
import type { SqlSession } from '../session.js'

export type ServerFacts = { readonly version: string; readonly readOnly: boolean }

export async function readServerFacts(session: SqlSession): Promise<ServerFacts | undefined> {
  const [facts] = await session.query<ServerFacts>(`
  SELECT current_setting('server_version') AS version,
    pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS "readOnly"`)
  return facts
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
