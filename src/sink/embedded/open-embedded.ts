/** The embedded database: Postgres in WebAssembly (PGlite) over one folder, used through the same session as the real one. */
import { mkdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { systemCodeOf } from '../../errors.js'
import { createDataDir } from './create-data-dir.js'
import { startEngine } from './engine.js'
import { folderError, missingDatabase } from './errors.js'
import { lockFolder } from './lock.js'
import { EmbeddedSession } from './session.js'

/** A statement that runs cannot be interrupted: the signal stops the next one. */
export type OpenEmbeddedOptions = { readonly create: boolean; readonly signal?: AbortSignal }

/**
 * Opens the database in the folder `dir`, alone: no other process gets in until `close` or the end of this process.
 * With `create`, makes the folder and the database where they are missing.
 * @throws {IngestError} `target_busy` when another process has it; `target_misconfigured` when it is missing, cannot
 * be written, is damaged or of another Postgres. It is left as it was then, and the lock is free again
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

/** Node's own recursive mkdir tries for ever where the parent exists but lets nothing be made in it, as /proc does. */
async function makeFolder(path: string): Promise<void> {
  if (await exists(path)) return
  await makeFolder(dirname(path))
  await mkdir(path).catch(async error => {
    // Another process may have been quicker.
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
