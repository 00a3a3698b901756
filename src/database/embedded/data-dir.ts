/** Access to a Postgres data folder that does not need the engine. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCodeOf } from '../../errors.js'
import { unusableDatabase, wrongVersion } from './errors.js'
import fs from 'node:fs'

/** The major version of PGlite's Postgres. A data folder can only be opened by the major version that created it. */
export const POSTGRES_MAJOR = '18'

/**
 * Checks that a folder is a data folder of this Postgres version. Needed because PGlite creates a database in any other folder,
 * and crashes on another version without a message.
 * @throws {IngestError} `target_misconfigured` otherwise
 */
export async function assertDataVersion(dataDir: string): Promise<void> {
  const version = await readFile(join(dataDir, 'PG_VERSION'), 'utf8').catch(missingIsEmpty)
  if (version === '') throw unusableDatabase(dataDir, 'it is not a Postgres data folder, because PG_VERSION is missing')
  if (version.trim() !== POSTGRES_MAJOR) throw wrongVersion(dataDir, version.trim(), POSTGRES_MAJOR)
}

function missingIsEmpty(error: unknown): string {
  if (systemCodeOf(error) === 'ENOENT') return ''
  throw error
}

/** Makes a folder's entries durable. A new file's name is part of its folder, so fsync of the file alone does not save it. */
export function fsyncFolder(path: string): void {
  const fd = fs.openSync(path, 'r')
  try {
    fs.fsyncSync(fd)
  } catch (error) {
    // Some network file systems cannot fsync a folder. Postgres ignores this too.
    if (systemCodeOf(error) !== 'EINVAL') throw error
  } finally {
    fs.closeSync(fd)
  }
}
