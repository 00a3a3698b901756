/** Opens the embedded database: Postgres in WebAssembly (PGlite) in one folder, with the same session interface as Postgres. */
import { mkdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { systemCodeOf } from '../../errors.js'
import { createDataDir } from './create-data-dir.js'
import { startEngine } from './engine.js'
import { folderError, missingDatabase } from './errors.js'
import { lockFolder } from './lock.js'
import { EmbeddedSession } from './session.js'

/**
 * `create` creates a missing database. `signal` prevents the next statement from starting, because a running statement cannot
 * be interrupted.
 */
export type OpenEmbeddedOptions = { readonly create: boolean; readonly signal?: AbortSignal }

/**
 * Opens the database in the folder `dir` exclusively. No other process can open it until `close` or the end of this process.
 * With `create`, a missing folder or database is created.
 * @throws {IngestError} `target_busy` when another process has the database open; `target_misconfigured` when it is missing,
 * not writable, damaged or from another Postgres version. It is then unchanged, and the lock is released
 */
export async function openEmbedded(dir: string, { create, signal }: OpenEmbeddedOptions): Promise<EmbeddedSession> {
  const dataDir = join(dir, 'db')
  try {
    if (create) await makeFolder(resolve(dir))
    else if (!(await exists(dataDir))) throw missingDatabase(dir)
    const lock = await lockFolder(dir)
    try {
      if (create && !(await exists(dataDir))) await createDataDir(dataDir)
      return new EmbeddedSession({ engine: await startEngine(dataDir), lock, signal })
    } catch (error) {
      await lock.release()
      throw error
    }
  } catch (error) {
    throw folderError(dir, error)
  }
}

/**
 * Creates a folder and its parents. Node's recursive mkdir loops forever in folders that allow no new entries, such as /proc.
 */
async function makeFolder(path: string): Promise<void> {
  if (await exists(path)) return
  await makeFolder(dirname(path))
  await mkdir(path).catch(async error => {
    // Another process may have created the folder in the meantime.
    if (systemCodeOf(error) !== 'EEXIST') throw error
  })
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false
    throw error
  }
}
