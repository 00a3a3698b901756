/** Bucket storage in a folder: each object is a file whose path is its key. */

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readdir, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { IngestError } from '../../errors.js'
import { assertKey, compareKeys, type BucketStorage, type BucketStorageOptions, type Listed } from '../storage.js'
import {
  tryRemoveFile,
  makeFolders,
  syncFolders,
  ignoreCodes,
  writeNewFile,
  explainFileErrors,
} from './durable-files.js'

export function localBucketStorage(root: string, { mustExist = false }: BucketStorageOptions = {}): BucketStorage {
  const inRoot = <T>(work: () => Promise<T>): Promise<T> =>
    explainFileErrors(root, async () => {
      if (mustExist) await assertThere(root)
      return work()
    })
  return {
    description: root,
    get: key => inRoot(() => ignoreCodes(['ENOENT'], read(objectPath(root, key)))),
    put: (key, body) => inRoot(() => write(objectPath(root, key), body)),
    list: (prefix, { after } = {}) =>
      inRoot(async () => {
        const found = (await filesBelow(root, prefix.slice(0, prefix.lastIndexOf('/') + 1))).filter(
          ({ key }) => key.startsWith(prefix) && (after === undefined || compareKeys(key, after) > 0),
        )
        return { objects: found.sort((left, right) => compareKeys(left.key, right.key)), next: undefined }
      }),
    close: () => Promise.resolve(),
  }
}

/** All files below a folder. Hidden files are unfinished writes, or belong to the system. @param top ends with a slash, or is empty */
async function filesBelow(root: string, top: string): Promise<readonly Listed[]> {
  const entries = await ignoreCodes(['ENOENT'], readdir(join(root, top), { withFileTypes: true }))
  const visible = (entries ?? []).filter(({ name }) => !name.startsWith('.'))
  const found = visible.map(async entry => {
    const key = `${top}${entry.name}`
    if (entry.isDirectory()) return filesBelow(root, `${key}/`)
    return [{ key, bytes: (await stat(join(root, key))).size }]
  })
  return (await Promise.all(found)).flat()
}

async function assertThere(root: string): Promise<void> {
  const found = await ignoreCodes(['ENOENT'], stat(root))
  if (found?.isDirectory() === true) return
  const hint = 'restore or mount the folder, then run the command again'
  throw new IngestError('storage_failed', `the folder ${root} does not exist`, { hint })
}

/**
 * Reads a regular file. Refuses FIFOs and devices: reading one may never end, and four such reads block all file access of
 * the process, because they occupy its thread pool.
 */
async function read(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    if ((await file.stat()).isFile()) return await file.readFile()
    throw new IngestError('storage_failed', `${path} is not a regular file`, { hint: 'move it away' })
  } finally {
    await file.close()
  }
}

/** Writes atomically: a temporary file is written in full and then renamed. */
async function write(path: string, body: Buffer): Promise<void> {
  const folder = dirname(path)
  const created = await makeFolders(folder)
  const unfinished = join(folder, `.${randomBytes(8).toString('hex')}.part`)
  try {
    await writeNewFile(unfinished, body)
    await rename(unfinished, path)
  } catch (error) {
    await tryRemoveFile(unfinished)
    throw error
  }
  await syncFolders(folder, created)
}

function objectPath(root: string, key: string): string {
  assertKey(key)
  return join(root, ...key.split('/'))
}
