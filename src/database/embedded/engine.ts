/** Starts PGlite in a data folder with settings for durable and exact storage. */
import { PGlite, types } from '@electric-sql/pglite'
import { DataFolder } from './data-folder.js'
import { assertDataVersion } from './data-version.js'
import { deadDatabase, unusableDatabase } from './errors.js'
import { ExactPGlite } from './exact-pglite.js'

export type Engine = { readonly postgres: PGlite; readonly folder: DataFolder }

/**
 * Postgres's buffer size. The default of 128 MB uses more memory but is no faster, because the system caches the same files.
 */
const SHARED_BUFFERS = '16MB'

/**
 * Start parameters: PGlite's own, which set search_path to public, without -F, which turns fsync off. The sync method is fsync
 * because the default, fdatasync, has no effect in the engine.
 */
const OWN_PARAMETERS = ['-c', 'wal_sync_method=fsync', '-c', `shared_buffers=${SHARED_BUFFERS}`]
const START_PARAMETERS = [...PGlite.defaultStartParams.filter(parameter => parameter !== '-F'), ...OWN_PARAMETERS]

/**
 * Starts the engine.
 * @throws {IngestError} `target_misconfigured` when the folder is not a database of this Postgres version, or is damaged. The
 * folder is not moved or deleted
 */
export async function startEngine(dataDir: string): Promise<Engine> {
  await assertDataVersion(dataDir)
  const folder = new DataFolder(dataDir)
  try {
    // int8 is returned as text, like by `pg`, because a number cannot represent every int8.
    const parsers = { [types.INT8]: (digits: string) => digits }
    const postgres = await whenReady(new ExactPGlite({ fs: folder, startParams: START_PARAMETERS, parsers }))
    return { postgres, folder }
  } catch (cause) {
    const reason = folder.lastFatalMessage()
    throw reason ? unusableDatabase(dataDir, reason, cause) : deadDatabase(dataDir, cause)
  }
}

/** Waits until PGlite is ready. `PGlite.create` cannot be used, because it does not create objects of a subclass. */
async function whenReady(postgres: PGlite): Promise<PGlite> {
  await postgres.waitReady
  return postgres
}
