/** Creates a new database folder from PGlite's prepopulated archive. A crash leaves either the complete folder or none. */

import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { dataDir as prepopulated } from '@electric-sql/pglite-prepopulatedfs'
import { fsyncFolder } from './data-dir.js'

/** Number of files written concurrently, which keeps the disk busy while each file waits for its fsync. */
const FILES_AT_ONCE = 32

/**
 * Creates the Postgres data folder `dataDir`, which must not exist. The caller must hold the lock of the parent folder.
 * Leftovers of an interrupted creation are removed first. They are in a folder of their own, never in `dataDir`.
 */
export async function createDataDir(dataDir: string): Promise<void> {
  const staging = `${dataDir}.new`
  await remove(staging)
  try {
    await unpack(staging)
    await rename(staging, dataDir)
  } catch (error) {
    // The incomplete folder is removed, because it may be what filled the disk.
    await remove(staging).catch(() => undefined)
    throw error
  }
  fsyncFolder(dirname(dataDir))
}

async function unpack(root: string): Promise<void> {
  const archive = await (await prepopulated()).arrayBuffer()
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
    // Wait for the whole batch even after a failure, so that nothing is written while the folder is being removed.
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

type TarEntry = { readonly name: string; readonly kind: 'file' | 'folder'; readonly content: Uint8Array }

/** Size of a block. An entry is one header block and its content, padded to whole blocks. An empty block ends the archive. */
const BLOCK_BYTES = 512
const NAME = [0, 100] as const
const SIZE = [124, 136] as const
const KIND_AT = 156
const KINDS = new Map<string | undefined, TarEntry['kind']>([
  ['0', 'file'],
  ['5', 'folder'],
])

/**
 * Yields the entries of an uncompressed tar archive in order. Supports only files, folders and names up to 100 bytes.
 * @throws {Error} on an entry that is truncated or neither a file nor a folder
 */
export function* tarEntries(archive: Buffer): Generator<TarEntry> {
  let at = 0
  while (at + BLOCK_BYTES <= archive.length && archive[at] !== 0) {
    const header = archive.subarray(at, at + BLOCK_BYTES)
    const name = text(header, NAME)
    const kind = KINDS.get(text(header, [KIND_AT, KIND_AT + 1]))
    const sizeBytes = Number.parseInt(text(header, SIZE), 8)
    const start = at + BLOCK_BYTES
    if (kind === undefined || !(start + sizeBytes <= archive.length)) throw new Error(`cannot read tar entry "${name}"`)
    yield { name, kind, content: archive.subarray(start, start + sizeBytes) }
    at = start + Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES
  }
}

/** Reads a text field, which ends at its first NUL if it has one. */
function text(header: Buffer, [start, end]: readonly [number, number]): string {
  const field = header.subarray(start, end)
  const length = field.indexOf(0)
  return field.toString('latin1', 0, length === -1 ? field.length : length)
}
