/** Durable writes, which survive a power failure, and best-effort removals. */

import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCodeOf, IngestError, messageOf, type ErrorDetails } from '../../errors.js'
import { close, create, mkdir, openFolder, readdir, rmdir, syncToDisk, unlink, write } from './blocking-fs.js'

/**
 * Creates a file and syncs its content. Its name is durable only after `syncFolder` of its folder.
 * @param alongside another sync to run at the same time, because a file system journals both together
 */
export async function writeNewFile(path: string, body: Buffer, alongside?: () => Promise<void>): Promise<void> {
  const file = await create(path)
  try {
    await write(file, body)
    // Waits for both, because the file must not be closed during its sync.
    const synced = await Promise.allSettled([syncToDisk(file), alongside?.()])
    for (const result of synced) if (result.status === 'rejected') throw result.reason
  } finally {
    await close(file)
  }
}

/** Makes the names in a folder durable. A missing folder is ignored. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await ignoreCodes(['ENOENT'], openFolder(path))
  try {
    // Some network file systems do not support syncing folders.
    if (folder !== undefined) await ignoreCodes(['EINVAL', 'ENOTSUP'], syncToDisk(folder))
  } finally {
    if (folder !== undefined) await close(folder)
  }
}

/**
 * Creates a folder and its parents. Node's recursive mkdir is not used because it reports ENOENT for a full or read-only
 * disk.
 * @returns the topmost created folder; undefined when the folder existed
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

/**
 * Syncs a folder and its newly created parents, up to the existing folder above them.
 * @param created the topmost created folder, as returned by `makeFolders`
 */
export async function syncFolders(path: string, created: string | undefined): Promise<void> {
  const top = created === undefined ? path : dirname(created)
  const folders = [path]
  while (folders.at(-1)! !== top) folders.push(dirname(folders.at(-1)!))
  // In parallel, because a file system journals the syncs together.
  await Promise.all(folders.map(syncFolder))
}

/**
 * Removes a folder that readers cannot see any more. Failures are ignored: the next sweep or write removes the rest.
 * A key's folder holds only files and is removed file by file. The recursive `rm` handles other folders; it is the
 * fallback because Node loads extra code for it.
 */
export async function tryRemoveFolder(path: string): Promise<void> {
  try {
    for (const name of await readdir(path)) await unlink(join(path, name))
    await rmdir(path)
  } catch {
    await rm(path, { recursive: true, force: true, maxRetries: 2 }).catch(() => undefined)
  }
}

/** Removes a file. Failures are ignored. */
export async function tryRemoveFile(path: string): Promise<void> {
  await unlink(path).catch(() => undefined)
}

/** Resolves to undefined when the promise rejects with one of these system error codes. */
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

/** Runs an operation on the folder `root`. @throws {IngestError} for every system error of the operation */
export async function explainFileErrors<T>(root: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (cause) {
    throw cause instanceof IngestError || systemCodeOf(cause) === undefined ? cause : failure(root, cause)
  }
}

/** The error for damage that no interrupted write can cause. @param path the missing or wrong file */
export function corruptObjectError(path: string, what: string): IngestError {
  const hint = 'restore the file, or delete its folder to give up the object'
  return new IngestError('state_corrupt', `${path} ${what}`, { hint })
}

function failure(root: string, cause: unknown): IngestError {
  const path = (cause as NodeJS.ErrnoException).path ?? root
  const failed = (code: 'storage_denied' | 'storage_failed', what: string, details: ErrorDetails): IngestError =>
    new IngestError(code, `${path}: ${what}`, { cause, ...details })
  switch (systemCodeOf(cause) ?? '') {
    case 'EACCES':
    case 'EPERM':
      return failed('storage_denied', 'permission denied', { hint: `give this user write permission to ${root}` })
    case 'EROFS':
      return failed('storage_denied', 'the file system is read-only', { hint: 'name a writable folder' })
    case 'ENOSPC':
    case 'EDQUOT':
      return failed('storage_failed', 'no space left', { hint: `free space for ${root} and run the command again` })
    case 'EFBIG':
      return failed('storage_failed', 'exceeds the maximum file size', { hint: 'raise the limit, see `ulimit -f`' })
    case 'ENOTDIR':
    case 'EEXIST':
      return failed('storage_failed', 'the path is taken by something that is not a folder', {
        hint: `move the existing file away, or name another folder than ${root}`,
      })
    default:
      return failed('storage_failed', messageOf(cause), { hint: 'check the disk and the path' })
  }
}
