/** Forward-only migrations: the files of one folder in name order, one transaction each, remembered in a ledger. */

import { readdir, readFile } from 'node:fs/promises'
import { IngestError, messageOf } from '../errors.js'
import type { SqlSession } from './sql.js'

/** Beside this module in the sources, beside the bundle in what is published. */
const FOLDER = new URL('./migrations/', import.meta.url)

// Any constant will do, as long as every migrator of this program takes the same one.
const LOCK = 7_236_519_042

const LEDGER = `
  CREATE TABLE IF NOT EXISTS public._applied_migrations (
    name text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
  )`

export type Migrated = { readonly applied: readonly string[]; readonly alreadyThere: readonly string[] }

/**
 * Applies what the ledger `_applied_migrations` does not name yet. Two at once are safe: each file runs under one lock
 * of the database, which its transaction lets go.
 */
export async function migrate(session: SqlSession): Promise<Migrated> {
  await inTransaction(session, () => session.execute(LEDGER))
  const applied: string[] = []
  const alreadyThere: string[] = []
  for (const name of await migrationNames()) {
    const text = await readFile(new URL(name, FOLDER), 'utf8')
    const ran = await inTransaction(session, () => applyOnce(session, name, text))
    ;(ran ? applied : alreadyThere).push(name)
  }
  return { applied, alreadyThere }
}

export async function migrationNames(): Promise<readonly string[]> {
  return (await readdir(FOLDER)).filter(name => name.endsWith('.sql')).sort()
}

async function applyOnce(session: SqlSession, name: string, text: string): Promise<boolean> {
  const [known] = await session.query('SELECT name FROM public._applied_migrations WHERE name = $1', [name])
  if (known !== undefined) return false
  try {
    await session.execute(text)
  } catch (cause) {
    const code = cause instanceof IngestError ? cause.code : 'target_failed'
    const hint = 'nothing of this file was kept; run it as the owner of the database or as migrator'
    throw new IngestError(code, `migration ${name} failed: ${messageOf(cause)}`, { cause, hint })
  }
  await session.query('INSERT INTO public._applied_migrations (name) VALUES ($1)', [name])
  return true
}

async function inTransaction<T>(session: SqlSession, work: () => Promise<T>): Promise<T> {
  await session.execute(`BEGIN; SELECT pg_advisory_xact_lock(${LOCK})`)
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
