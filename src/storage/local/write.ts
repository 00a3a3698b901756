/** How a key's folder comes, changes and goes: each by one rename, which happens or does not. */

import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { systemCodeOf } from '../../errors.js'
import type { Version } from '../storage.js'
import { close, create, rename, rmdir, stat } from './blocking-fs.js'
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

/** Whoever deletes the last key of a folder removes it, under the hands of one who is about to put a key there. */
const ATTEMPTS = 50

/** @returns undefined when the key is there already */
export async function createContent(root: string, folder: string, body: Buffer): Promise<Version | undefined> {
  for (let attempt = 1; ; attempt++) {
    if (await exists(folder)) return undefined
    try {
      return await createOnce(root, folder, body)
    } catch (error) {
      // Or the staging folder was swept: this process has slept for an hour.
      if (systemCodeOf(error) !== 'ENOENT' || attempt === ATTEMPTS) throw error
    }
  }
}

async function createOnce(root: string, folder: string, body: Buffer): Promise<Version | undefined> {
  const parent = dirname(folder)
  const made = await makeFolders(parent)
  const staged = stagingFolder(root, 'new')
  try {
    const version = await stage(staged, body)
    // Onto a folder with files in it a folder cannot be renamed.
    const won = await ignoreCodes(
      ['ENOTEMPTY', 'EEXIST'],
      rename(staged, folder).then(() => true),
    )
    if (won === undefined) await tryRemoveFolder(staged)
    else await syncFolders(parent, made)
    return won === undefined ? undefined : version
  } catch (error) {
    await tryRemoveFolder(staged)
    throw error
  }
}

async function stage(folder: string, body: Buffer): Promise<Version> {
  const version = newVersion(body)
  await makeFolders(folder)
  // Its name is all it says, and the folder's sync keeps that.
  await close(await create(pointerPath(folder, version)))
  await writeNewFile(bodyPath(folder, version), body, () => syncFolder(folder))
  return version
}

/** @returns undefined when the content is not, or no longer, that of `version` */
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
  // Who wrote a body before this writer won expected a version that is past. Bodies that came later may win.
  await Promise.all(found.names.map(name => tryRemoveFile(join(folder, name))))
  return next
}

/** Removes a folder with all that is in it from one moment to the next, and its parents where nothing else is in them. */
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

/** @param kind for a person who looks: on its way in, or on its way out */
export function stagingFolder(root: string, kind: 'new' | 'old'): string {
  return join(root, STAGING, `${kind}-${randomBytes(12).toString('hex')}`)
}

async function exists(path: string): Promise<boolean> {
  return (await ignoreCodes(['ENOENT'], stat(path))) !== undefined
}
