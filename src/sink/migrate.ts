/** Forward-only migrations: the files of one folder in name order, one transaction each, remembered in a ledger. */

import { IngestError, messageOf } from '../errors.js'
import { prepareLedger, readLedger, recordMigration } from './ledger.js'
import { migrationFiles, type MigrationFile } from './migration-files.js'
import { BEGIN, type SqlSession } from './sql.js'

export { migrationNames } from './migration-files.js'

// Any constant will do, as long as every migrator of this program takes the same one.
const LOCK = 7_236_519_042

export type Migrated = { readonly applied: readonly string[]; readonly alreadyThere: readonly string[] }

/**
 * Applies what the ledger `_applied_migrations` does not name yet; where that is nothing, it only reads. Two at once are
 * safe: each file runs under one lock of the database, which its transaction lets go.
 * @throws {IngestError} `auth_failed`, with every right that is missing, before anything is applied
 */
export async function migrate(session: SqlSession): Promise<Migrated> {
  const files = await migrationFiles()
  const { exists, applied: known } = await readLedger(session)
  const pending = files.filter(({ name }) => !known.has(name))
  if (pending.length > 0) {
    await assertRights(session, exists ? pending : [LEDGER, ...pending])
    await inTransaction(session, () => prepareLedger(session))
  }
  const applied: string[] = []
  for (const file of pending) if (await inTransaction(session, () => applyOnce(session, file))) applied.push(file.name)
  return { applied, alreadyThere: files.map(({ name }) => name).filter(name => !applied.includes(name)) }
}

/** Has needs like a file. */
const LEDGER: Pick<MigrationFile, 'name' | 'needs'> = {
  name: 'the ledger _applied_migrations',
  needs: [{ what: 'CREATE on the schema public', condition: `has_schema_privilege('public', 'CREATE')` }],
}

async function assertRights(
  session: SqlSession,
  files: readonly Pick<MigrationFile, 'name' | 'needs'>[],
): Promise<void> {
  const needs = files.flatMap(({ name, needs }) => needs.map(need => ({ name, ...need })))
  if (needs.length === 0) return
  const conditions = needs.map(({ condition }, index) => `(${condition}) AS met${index}`)
  const [row] = await session.query<Record<string, unknown>>(
    `SELECT current_user::text AS role, ${conditions.join(', ')}`,
  )
  const missing = needs.filter((_, index) => row?.[`met${index}`] !== true)
  if (missing.length === 0) return
  const list = missing.map(({ name, what }) => `${name} needs ${what}`).join('; ')
  throw new IngestError('auth_failed', `the role ${String(row?.['role'])} may not migrate this database: ${list}`, {
    hint: 'nothing was applied; run it as the owner of the database, or give the role what is missing',
  })
}

async function applyOnce(session: SqlSession, file: MigrationFile): Promise<boolean> {
  // Another migrator may have been quicker.
  if ((await readLedger(session)).applied.has(file.name)) return false
  try {
    await session.execute(file.text)
  } catch (cause) {
    const code = cause instanceof IngestError ? cause.code : 'target_failed'
    const hint = 'nothing of this file was kept; run it as the owner of the database or as migrator'
    throw new IngestError(code, `migration ${file.name} failed: ${messageOf(cause)}`, { cause, hint })
  }
  await recordMigration(session, file)
  return true
}

async function inTransaction<T>(session: SqlSession, work: () => Promise<T>): Promise<T> {
  await session.execute(`${BEGIN}; SELECT pg_advisory_xact_lock(${LOCK})`)
  try {
    const result = await work()
    await session.execute('COMMIT')
    return result
  } catch (error) {
    // The session may be gone; the server then rolls back by itself, and the first error is the one to tell.
    await session.execute('ROLLBACK').catch(() => undefined)
    throw error
  }
}
