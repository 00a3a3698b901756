/** Applies forward-only migrations in name order, one transaction each, and records them in a ledger. */

import { IngestError, messageOf } from '../errors.js'
import {
  isApplied,
  isOnRequest,
  prepareLedger,
  readLedger,
  recordMigration,
  type Ledger,
  missingFirstFiles,
} from './ledger.js'
import { migrationFiles, type MigrationFile, type Need } from './migration-files.js'
import { readTokenMembership, REVOKE_RIGHTS, revokeTokenMembership } from './read-role.js'
import { BEGIN, inTransaction, type SqlSession } from './session.js'

export { migrationNames } from './migration-files.js'

// The key of the advisory lock. It is arbitrary but must be the same in every version of this program.
const LOCK = 7_236_519_042
const BEGIN_LOCKED = `${BEGIN}; SELECT pg_advisory_xact_lock(${LOCK})`

export type Migrated = {
  readonly applied: readonly string[]
  readonly alreadyThere: readonly string[]
  /** Role memberships that were revoked: `rds_iam from bench_read`, or nothing. */
  readonly revoked: readonly string[]
}

export type MigrateOptions = {
  /** Whether to create or repair the schema `vortex_ingest`, whoever made the database. Default: false. */
  readonly withOptional?: boolean | undefined
}

/**
 * Applies the migrations that the ledger `_applied_migrations` does not list, and revokes a membership of `bench_read` in
 * `rds_iam`. Only reads if there is nothing to do. Concurrent calls are safe, because each file is applied under one advisory
 * lock that its transaction releases.
 * @throws {IngestError} `auth_failed`, listing every missing right, before anything is applied;
 * `target_misconfigured` when the other migration runner must apply its files first
 */
export async function migrate(session: SqlSession, { withOptional = false }: MigrateOptions = {}): Promise<Migrated> {
  const ledger = await readLedger(session)
  const files = (await migrationFiles()).filter(file => withOptional || !isOnRequest(ledger, file))
  assertMigratable(ledger)
  const isPending = (file: MigrationFile): boolean => !isApplied(ledger, file) || (withOptional && file.isOptional)
  const pending = files.filter(isPending)
  const mustRevoke = (await readTokenMembership(session)) === 'direct'
  await assertRights(session, [
    ...(pending.length > 0 ? [ledgerRights(ledger), ...pending] : []),
    ...(mustRevoke ? [REVOKE_RIGHTS] : []),
  ])
  if (pending.length > 0) await inTransaction(session, BEGIN_LOCKED, () => prepareLedger(session))
  const applied: string[] = []
  for (const file of pending)
    if (
      await inTransaction(session, BEGIN_LOCKED, () =>
        applyOnce(session, file, { mayRepeat: withOptional && file.isOptional }),
      )
    )
      applied.push(file.name)
  if (mustRevoke) await inTransaction(session, BEGIN_LOCKED, () => revokeTokenMembership(session))
  const alreadyThere = files.map(({ name }) => name).filter(name => !applied.includes(name))
  return { applied, alreadyThere, revoked: mustRevoke ? ['rds_iam from bench_read'] : [] }
}

function assertMigratable({ isReadable, key, applied }: Ledger): void {
  if (!isReadable)
    throw new IngestError('auth_failed', 'this role may not read the ledger public._applied_migrations', {
      hint: 'run it as the owner of the database or as migrator',
    })
  const missing = key === 'filename' ? missingFirstFiles(applied.keys()) : []
  if (missing.length === 0) return
  const message = `another migration runner made this database and has not applied ${missing.join(', ')}`
  throw new IngestError('target_misconfigured', message, { hint: 'apply the files of that runner up to 007 first' })
}

type Rights = Pick<MigrationFile, 'name' | 'needs'>

function ledgerRights({ exists }: Ledger): Rights {
  const name = 'the ledger _applied_migrations'
  const create: Need = { right: 'CREATE on the schema public', condition: `has_schema_privilege('public', 'CREATE')` }
  const insert: Need = {
    right: 'INSERT',
    condition: `has_table_privilege(to_regclass('public._applied_migrations'), 'INSERT')`,
  }
  return { name, needs: [exists ? insert : create] }
}

async function assertRights(session: SqlSession, files: readonly Rights[]): Promise<void> {
  const needs = files.flatMap(({ name, needs }) => needs.map(need => ({ name, ...need })))
  if (needs.length === 0) return
  const conditions = needs.map(({ condition }, index) => `(${condition}) AS met${index}`)
  const [row] = await session.query<Record<string, unknown>>(
    `SELECT current_user::text AS role, ${conditions.join(', ')}`,
  )
  const missing = needs.filter((_, index) => row?.[`met${index}`] !== true)
  if (missing.length === 0) return
  const list = missing.map(({ name, right }) => `${name} needs ${right}`).join('; ')
  throw new IngestError('auth_failed', `the role ${String(row?.['role'])} may not migrate this database: ${list}`, {
    hint: 'nothing was applied; run it as the owner of the database, or grant the missing rights to the role',
  })
}

async function applyOnce(
  session: SqlSession,
  file: MigrationFile,
  { mayRepeat }: { readonly mayRepeat: boolean },
): Promise<boolean> {
  // The ledger is read again under the lock, because another process may have applied the file in the meantime.
  const ledger = await readLedger(session)
  if (isApplied(ledger, file) && !mayRepeat) return false
  try {
    await session.execute(file.text)
  } catch (cause) {
    const code = cause instanceof IngestError ? cause.code : 'target_failed'
    const hint = 'nothing of this file was applied; run it as the owner of the database or as migrator'
    throw new IngestError(code, `migration ${file.name} failed: ${messageOf(cause)}`, { cause, hint })
  }
  if (!isApplied(ledger, file)) await recordMigration(session, file, ledger)
  return true
}
