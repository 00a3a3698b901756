/** Writes and removals that a power cut cannot take back, and such that may fail without harm. */

import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCodeOf } from '../../errors.js'
import { close, create, mkdir, openFolder, readdir, rmdir, syncToDisk, unlink, write } from './blocking-fs.js'

/**
 * Makes a new file whose content is on the disk; its name is there once its folder is synced, too.
 * @param alongside another sync: a journal takes both together
 */
export async function writeNewFile(path: string, body: Buffer, alongside?: () => Promise<void>): Promise<void> {
  const file = await create(path)
  try {
    await write(file, body)
    // A file is not closed while it is synced.
    const synced = await Promise.allSettled([syncToDisk(file), alongside?.()])
    for (const one of synced) if (one.status === 'rejected') throw one.reason
  } finally {
    await close(file)
  }
}

/** Brings the names in a folder to the disk. A folder that is gone has nothing to keep. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await ignoreCodes(['ENOENT'], openFolder(path))
  try {
    // Some file systems on a network have no such operation.
    if (folder !== undefined) await ignoreCodes(['EINVAL', 'ENOTSUP'], syncToDisk(folder))
  } finally {
    if (folder !== undefined) await close(folder)
  }
}

/**
 * Makes a folder and its parents; Node's own way says ENOENT for a full or read-only disk.
 * @returns the topmost one it made
 */
export async function makeFolders(path: string): Promise<string | undefined> {
  try {
    await mkdir(path)
    return path
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return undefined
    if (systemCodeOf(error) !== 'ENOENT') throw error
  }
  const top = await makeFolders(dirname(path))
  await ignoreCodes(['EEXIST'], mkdir(path))
  return top ?? path
}

/** Syncs a folder and, where `made` is the topmost of its parents that is new, those up to the one that has its name. */
export async function syncFolders(path: string, made: string | undefined): Promise<void> {
  const top = made === undefined ? path : dirname(made)
  const folders = [path]
  while (folders.at(-1)! !== top) folders.push(dirname(folders.at(-1)!))
  // At once: a journal takes them together.
  await Promise.all(folders.map(syncFolder))
}

/**
 * What stays is seen by nobody, and goes with the next sweep or write. A key's folder has files only; the rest is for
 * folders of keys, since Node loads something for it.
 */
export async function tryRemoveFolder(path: string): Promise<void> {
  try {
    for (const name of await readdir(path)) await unlink(join(path, name))
    await rmdir(path)
  } catch {
    await rm(path, { recursive: true, force: true, maxRetries: 2 }).catch(() => undefined)
  }
}

export async function tryRemoveFile(path: string): Promise<void> {
  await unlink(path).catch(() => undefined)
}

/** The promise's value, or undefined for errors of these codes. */
export async function ignoreCodes<T>(
  codes: readonly string[],
  promise: Promise<T> | undefined,
): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (codes.includes(systemCodeOf(error) ?? '')) return undefined
    throw error
  }
}
