/** Checks of a Postgres data folder and of this process that do not need the engine. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { IngestError, RAISE_LIMIT, systemCodeOf } from '../../errors.js'
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

/** The engine has up to 160 files open, and reports misleading errors when it cannot open another. */
const MIN_OPEN_FILES = 256

/** @throws {IngestError} `config_invalid` when this process may open too few files for the engine */
export async function assertOpenFiles(): Promise<void> {
  // Only Linux has this file. Elsewhere the limit is hardly ever so low, because Node raises it as far as the system allows.
  const limits = await readFile('/proc/self/limits', 'utf8').catch(missingIsEmpty)
  const [, limit = Infinity] = /^Max open files +(\d+)/m.exec(limits) ?? []
  if (Number(limit) >= MIN_OPEN_FILES) return
  const message = `the embedded database needs ${MIN_OPEN_FILES} file descriptors, and this process may have only ${limit}`
  throw new IngestError('config_invalid', message, { hint: RAISE_LIMIT })
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
