/** Creates, replaces and removes the content of a key. Each change takes effect with one atomic rename. */

import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { systemCodeOf } from '../../errors.js'
import type { Version } from '../storage.js'
import { close, create, readdir, rename, rmdir, stat } from './blocking-fs.js'
import { bodyPath, findContent, newVersion, pointerPath } from './content.js'
import {
  tryRemoveFolder,
  tryRemoveFile,
  makeFolders,
  syncFolder,
  syncFolders,
  ignoreCodes,
  writeNewFile,
} from './durable-files.js'
import { STAGING } from './key-folder.js'

/** A concurrent delete can remove the parent folder, when it was the last key in it, so creating is retried. */
const ATTEMPTS = 50

/** Creates a key with its content. @returns undefined when the key exists already */
export async function createContent(root: string, folder: string, body: Buffer): Promise<Version | undefined> {
  for (let attempt = 1; ; attempt++) {
    if (await exists(folder)) return undefined
    try {
      return await createOnce(root, folder, body)
    } catch (error) {
      // ENOENT: the parent was removed, or the staging folder was swept because this process was suspended for an hour.
      if (systemCodeOf(error) !== 'ENOENT' || attempt === ATTEMPTS) throw error
    }
  }
}

async function createOnce(root: string, folder: string, body: Buffer): Promise<Version | undefined> {
  const parent = dirname(folder)
  const created = await makeFolders(parent)
  const staged = stagingFolder(root, 'new')
  try {
    const version = await stage(staged, body)
    // A folder cannot be renamed onto a folder that has files, so one of several writers wins.
    const won = await ignoreCodes(
      ['ENOTEMPTY', 'EEXIST'],
      rename(staged, folder).then(() => true),
    )
    if (won === undefined) await tryRemoveFolder(staged)
    else await syncFolders(parent, created)
    return won === undefined ? undefined : version
  } catch (error) {
    await tryRemoveFolder(staged)
    throw error
  }
}

async function stage(folder: string, body: Buffer): Promise<Version> {
  const version = newVersion(body)
  await makeFolders(folder)
  // The empty pointer file needs no sync of its own: its name becomes durable with the folder.
  await close(await create(pointerPath(folder, version)))
  await writeNewFile(bodyPath(folder, version), body, () => syncFolder(folder))
  return version
}

/** Replaces the content of a key. @returns undefined when the current version is not `version` */
export async function replaceContent(folder: string, body: Buffer, version: Version): Promise<Version | undefined> {
  const found = await findContent(folder)
  if (found?.version !== version) return undefined
  const next = newVersion(body)
  try {
    await writeNewFile(bodyPath(folder, next), body)
    await rename(pointerPath(folder, version), pointerPath(folder, next))
  } catch (error) {
    await tryRemoveFile(bodyPath(folder, next))
    if (systemCodeOf(error) === 'ENOENT') return undefined
    throw error
  }
  await syncFolder(folder)
  // Bodies in this listing belong to the old version or to writers that must lose. Later bodies may still win, so they stay.
  await Promise.all(found.names.map(name => tryRemoveFile(join(folder, name))))
  return next
}

/** Removes a folder and its content atomically, then its empty parents. */
export async function removeFolder(root: string, folder: string): Promise<void> {
  if (!(await exists(folder))) return
  const grave = stagingFolder(root, 'old')
  await makeFolders(dirname(grave))
  await ignoreCodes(['ENOENT'], rename(folder, grave))
  await syncFolder(dirname(folder))
  await tryRemoveFolder(grave)
  await removeEmptyParents(root, folder)
}

async function removeEmptyParents(root: string, folder: string): Promise<void> {
  for (let parent = dirname(folder); parent !== root; parent = dirname(parent)) {
    const removed = await rmdir(parent).then(
      () => true,
      () => false,
    )
    if (!removed) return
  }
}

/**
 * A new name in the staging folder.
 * @param kind `new` for content that is being created, `old` for content that is being removed; only for people
 */
function stagingFolder(root: string, kind: 'new' | 'old'): string {
  return join(root, STAGING, `${kind}-${randomBytes(12).toString('hex')}`)
}

async function exists(path: string): Promise<boolean> {
  return (await ignoreCodes(['ENOENT'], stat(path))) !== undefined
}

/** Longer than any write takes. A process that was suspended for longer finds its folder gone and stages it again. */
const LEFT_AFTER_MS = 60 * 60 * 1000

/**
 * Removes unfinished writes and deletions of killed processes. Leftovers that cannot be removed are invisible to readers.
 * @throws when `root` is not a folder
 */
export async function sweepStaging(root: string, now: () => number): Promise<void> {
  const names = await ignoreCodes(['ENOENT', 'EACCES', 'EPERM'], readdir(join(root, STAGING)))
  for (const name of names ?? []) await sweepOne(root, join(root, STAGING, name), now).catch(() => undefined)
}

async function sweepOne(root: string, path: string, now: () => number): Promise<void> {
  const { ctimeMs } = await stat(path)
  if (now() - ctimeMs < LEFT_AFTER_MS) return
  // Renamed first, so that its writer, if still alive, cannot publish a half-deleted folder.
  const grave = stagingFolder(root, 'old')
  await rename(path, grave)
  await tryRemoveFolder(grave)
}
