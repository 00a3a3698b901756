/** Starts PGlite over a data folder the way durable, exact use needs it. */
import { PGlite, types } from '@electric-sql/pglite'
import { DataFolder } from './data-folder.js'
import { assertDataVersion } from './data-version.js'
import { deadDatabase, unusableDatabase } from './errors.js'
import { ExactPGlite } from './exact-pglite.js'
import { optimizedLate } from './optimized-late.js'

export type Engine = { readonly postgres: PGlite; readonly folder: DataFolder }

/** All of it ends up resident, and the system caches the same files: the default of 128 MB is no faster here. */
const SHARED_BUFFERS = '16MB'

/** PGlite's own put search_path on public, and turn fsync off (-F). The other way to sync, fdatasync, does nothing here. */
const OWN_START = ['-c', 'wal_sync_method=fsync', '-c', `shared_buffers=${SHARED_BUFFERS}`]
const START = [...PGlite.defaultStartParams.filter(param => param !== '-F'), ...OWN_START]

/**
 * @throws {IngestError} `target_misconfigured` when the folder is not a database of this Postgres, or a damaged one;
 * it stays where it is
 */
export async function startEngine(dataDir: string): Promise<Engine> {
  await assertDataVersion(dataDir)
  const folder = new DataFolder(dataDir)
  try {
    // int8 comes as text, as it does from `pg`, because a number cannot hold every int8.
    const parsers = { [types.INT8]: (digits: string) => digits }
    const postgres = await optimizedLate(() => started(new ExactPGlite({ fs: folder, startParams: START, parsers })))
    return { postgres, folder }
  } catch (cause) {
    const reason = folder.lastWords()
    throw reason ? unusableDatabase(dataDir, reason, cause) : deadDatabase(dataDir, cause)
  }
}

/** PGlite's own `create` makes a PGlite, not an object of a class that extends it. */
async function started(postgres: PGlite): Promise<PGlite> {
  await postgres.waitReady
  return postgres
}
