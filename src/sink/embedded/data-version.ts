/** Which Postgres made a data folder, told without starting one. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCodeOf } from '../../errors.js'
import { unusableDatabase, wrongVersion } from './errors.js'

/** Of the Postgres that PGlite is; a data folder belongs to one major version. */
export const POSTGRES_MAJOR = '18'

/**
 * PGlite would make a database wherever it finds none, and dies of another version without saying why.
 * @throws {IngestError} `target_misconfigured`
 */
export async function assertDataVersion(dataDir: string): Promise<void> {
  const version = await readFile(join(dataDir, 'PG_VERSION'), 'utf8').catch(missingIsEmpty)
  if (version === '') throw unusableDatabase(dataDir, 'it has no PG_VERSION, so it is no Postgres data folder')
  if (version.trim() !== POSTGRES_MAJOR) throw wrongVersion(dataDir, version.trim(), POSTGRES_MAJOR)
}

function missingIsEmpty(error: unknown): string {
  if (systemCodeOf(error) === 'ENOENT') return ''
  throw error
}
