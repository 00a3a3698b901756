/** Starts PGlite over a data folder the way durable, exact use needs it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite, types } from '@electric-sql/pglite'
import { systemCodeOf } from '../../errors.js'
import { DataFolder } from './data-folder.js'
import { deadDatabase, unusableDatabase, wrongVersion } from './errors.js'

export type Engine = { readonly postgres: PGlite; readonly folder: DataFolder }

/** Of the Postgres that PGlite is; a data folder belongs to one major version. */
export const POSTGRES_MAJOR = '18'

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
    return { postgres: await PGlite.create({ fs: folder, startParams: START, parsers }), folder }
  } catch (cause) {
    const reason = folder.lastWords()
    throw reason ? unusableDatabase(dataDir, reason, cause) : deadDatabase(dataDir, cause)
  }
}

/** PGlite would make a database wherever it finds none, and dies of another version without saying why. */
async function checkVersion(dataDir: string): Promise<void> {
  const version = await readFile(join(dataDir, 'PG_VERSION'), 'utf8').catch(missingIsEmpty)
  if (version === '') throw unusableDatabase(dataDir, 'it has no PG_VERSION, so it is no Postgres data folder')
  if (version.trim() !== POSTGRES_MAJOR) throw wrongVersion(dataDir, version.trim(), POSTGRES_MAJOR)
}

function missingIsEmpty(error: unknown): string {
  if (systemCodeOf(error) === 'ENOENT') return ''
  throw error
}
