/** Compares the privileges of the role with those that a push needs. */

import { IngestError } from '../errors.js'
import {
  readRolePrivileges,
  readTablePrivileges,
  type RolePrivileges,
  type TablePrivilege,
} from '../database/queries/server-facts.js'
import type { SqlSession } from '../database/session.js'
import { fail, ok, warn, type Finding } from './finding.js'

const NEEDED = ['SELECT', 'INSERT', 'UPDATE']
const EXCESSIVE = ['DELETE', 'TRUNCATE']

/**
 * Reports missing and excessive privileges of the current role.
 * @see contract section 4
 */
export async function grantFindings(session: SqlSession): Promise<readonly Finding[]> {
  const others = await readRolePrivileges(session)
  if (others === undefined) throw new IngestError('target_failed', 'the server does not know the role it let in')
  // Without USAGE on the schema, table names cannot be resolved.
  const rights = others.mayUse ? await readTablePrivileges(session, [...NEEDED, ...EXCESSIVE]) : []
  const missing = [...missingRights(rights), ...missingOthers(others)]
  const more = excess(rights, others)
  const findings = [
    ...missing.map(({ what, grant }) => fail('target_misconfigured', `${others.role} may not ${what}`, grant)),
    ...(more.length > 0 ? [warn(`${others.role} may also ${more.join('; ')}`, TOO_MUCH)] : []),
  ]
  if (findings.length > 0) return findings
  return rights.length === 0 ? [] : [ok(`${others.role} may SELECT, INSERT and UPDATE, and no more`)]
}

const TOO_MUCH = 'a push needs SELECT, INSERT and UPDATE on the six tables: REVOKE the rest'

type Missing = { readonly what: string; readonly grant: string }

function missingRights(rights: readonly TablePrivilege[]): readonly Missing[] {
  const lacking = byPrivileges(rights.filter(({ privilege, granted }) => NEEDED.includes(privilege) && !granted))
  return lacking.map(([privileges, tables]) => ({
    what: `${privileges} on ${tables}`,
    grant: `GRANT ${privileges} ON ${tables} TO the role, or let \`vortex-ingest migrate\` do so`,
  }))
}

function missingOthers({ mayUse, mayStage, role, database }: RolePrivileges): readonly Missing[] {
  return [
    ...(mayUse ? [] : [{ what: 'use the schema public', grant: `GRANT USAGE ON SCHEMA public TO ${role}` }]),
    ...(mayStage
      ? []
      : [
          {
            what: 'make temporary tables, which records are staged in',
            grant: `GRANT TEMP ON DATABASE ${database} TO ${role}`,
          },
        ]),
  ]
}

function excess(rights: readonly TablePrivilege[], { superuser, mayCreate }: RolePrivileges): readonly string[] {
  if (superuser) return ['do everything: it is a superuser']
  const more = byPrivileges(rights.filter(({ privilege, granted }) => EXCESSIVE.includes(privilege) && granted))
  return [
    ...more.map(([privileges, tables]) => `${privileges} on ${tables}`),
    ...(mayCreate ? ['CREATE in the schema public'] : []),
  ]
}

/** Groups tables by their exact set of privileges, such as `SELECT, UPDATE`. */
function byPrivileges(rights: readonly TablePrivilege[]): readonly (readonly [privileges: string, tables: string])[] {
  const ofTable = new Map<string, string[]>()
  for (const { object, privilege } of rights) ofTable.set(object, [...(ofTable.get(object) ?? []), privilege])
  const tables = new Map<string, string[]>()
  for (const [table, privileges] of ofTable) {
    const key = privileges.join(', ')
    tables.set(key, [...(tables.get(key) ?? []), table])
  }
  return [...tables].map(([privileges, names]) => [privileges, names.join(', ')])
}
