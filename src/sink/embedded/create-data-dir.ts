/** Makes a new database folder out of PGlite's ready-made one, so that a crash leaves either all of it or none. */
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { dataDir as readyMade } from '@electric-sql/pglite-prepopulatedfs'
import { fsyncFolder } from './fsync-folder.js'
import { type TarEntry, tarEntries } from './tar-entries.js'

/** Enough files at once to keep the disk busy while each waits for its fsync. */
const FILES_AT_ONCE = 32

/**
 * Creates the Postgres data folder `dataDir`, which must not exist; the caller holds the lock of its parent.
 * What a crashed creation left behind is removed first: it never had the name of a database.
 */
export async function createDataDir(dataDir: string): Promise<void> {
  const staging = `${dataDir}.new`
  await remove(staging)
  try {
    await unpack(staging)
    await rename(staging, dataDir)
  } catch (error) {
    // On a full disk the half-made folder is what fills it.
    await remove(staging).catch(() => undefined)
    throw error
  }
  fsyncFolder(dirname(dataDir))
}

async function unpack(root: string): Promise<void> {
  const archive = await (await readyMade()).arrayBuffer()
  const entries = [...tarEntries(await promisify(gunzip)(archive))]
  const folders = [root, ...entries.filter(entry => entry.kind === 'folder').map(entry => join(root, entry.name))]
  for (const folder of folders) await mkdir(folder, { mode: 0o700, recursive: true })
  await writeFiles(
    root,
    entries.filter(entry => entry.kind === 'file'),
  )
  folders.forEach(fsyncFolder)
}

async function writeFiles(root: string, entries: readonly TarEntry[]): Promise<void> {
  for (let start = 0; start < entries.length; start += FILES_AT_ONCE) {
    const batch = entries.slice(start, start + FILES_AT_ONCE)
    // All of a batch is waited for, so that nothing still writes when a failed creation is cleaned up.
    const outcomes = await Promise.allSettled(batch.map(entry => writeSynced(join(root, entry.name), entry.content)))
    const failed = outcomes.find(outcome => outcome.status === 'rejected')
    if (failed) throw failed.reason
  }
}

async function writeSynced(path: string, content: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true })
}
