/** Compares the privileges of the role, and the tables, with what a push needs. */

import { IngestError } from '../../errors.js'
import {
  readRolePrivileges,
  readTablePrivileges,
  type RolePrivileges,
  type TablePrivilege,
} from '../../database/queries/server-facts.js'
import type { SqlSession } from '../../database/session.js'
import { fail, ok, warn, type Finding } from '../../doctor/finding.js'
import { NOT_A_TABLE_HINT } from '../../database/interventions.js'
import { compareSchema, type Drift } from '../../database/schema-drift.js'

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

const SHOWN = 8

/** Differences that do not stop a push. */
const HARMLESS: readonly Drift['code'][] = [
  'missing_optional_migration',
  'unknown_migration',
  'changed_migration',
  'missing_index',
  'trigger',
  'row_security',
  'token_login',
  'inherited_token_login',
]

/** The findings of `migrate --check`. Findings that would fail a push come first. */
export async function schemaFindings(session: SqlSession): Promise<readonly Finding[]> {
  const { drift, isLedgerReadable } = await compareSchema(session)
  if (drift.length === 0) return [ok(isLedgerReadable ? COMPLETE : COMPLETE_WITHOUT_LEDGER)]
  // Differences that prevent a push come first.
  const sorted = [...drift].sort((one, other) => Number(isHarmless(one)) - Number(isHarmless(other)))
  const rest = sorted.slice(SHOWN)
  return [...sorted.slice(0, SHOWN).map(finding), ...(rest.length > 0 ? [summary(rest)] : [])]
}

const COMPLETE = 'every migration, table and index of the contract is there'
const COMPLETE_WITHOUT_LEDGER =
  'every table and index of the contract is there; this role may not read the ledger of migrations'

function finding(drift: Drift): Finding {
  const fact = `${drift.object}: ${drift.message} (${drift.code})`
  const hint = HINTS[drift.code] ?? HINT
  return isHarmless(drift) ? warn(fact, hint) : fail('target_misconfigured', fact, hint)
}

const INTERVENES = 'rows of a push may be missing or changed because of it: drop it, or disable it'

const HINTS: Readonly<Partial<Record<Drift['code'], string>>> = {
  trigger: INTERVENES,
  rule: 'a push to a table with such a rule fails: drop it, or disable it',
  row_security: 'rows of a push may be refused or hidden by it: ALTER TABLE … DISABLE ROW LEVEL SECURITY',
  not_a_table: NOT_A_TABLE_HINT,
  token_login: 'REVOKE rds_iam FROM bench_read; `vortex-ingest migrate` does so for a role with CREATEROLE',
  inherited_token_login: 'revoke the role between rds_iam and bench_read: psql `\\drg bench_read` lists it',
}
const HINT = 'vortex-ingest migrate, as the owner, applies what is missing; `migrate --check` compares'

function summary(rest: readonly Drift[]): Finding {
  const fact = `${rest.length} further differences`
  const hint = '`vortex-ingest migrate --check` shows all'
  return rest.every(isHarmless) ? warn(fact, hint) : fail('target_misconfigured', fact, hint)
}

function isHarmless({ code }: Drift): boolean {
  return HARMLESS.includes(code)
}
