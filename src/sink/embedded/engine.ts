/** Starts PGlite over a data folder the way durable, exact use needs it. */
import { PGlite, types } from '@electric-sql/pglite'
import { DataFolder } from './data-folder.js'
import { checkVersion } from './data-version.js'
import { deadDatabase, unusableDatabase } from './errors.js'
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
  await checkVersion(dataDir)
  const folder = new DataFolder(dataDir)
  try {
    // As text, like from a real Postgres: a number cannot hold every int8.
    const parsers = { [types.INT8]: (digits: string) => digits }
    const postgres = await optimizedLate(() => PGlite.create({ fs: folder, startParams: START, parsers }))
    return { postgres, folder }
  } catch (cause) {
    const reason = folder.lastWords()
    throw reason ? unusableDatabase(dataDir, reason, cause) : deadDatabase(dataDir, cause)
  }
}
