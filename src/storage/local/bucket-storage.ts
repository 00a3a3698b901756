/** Bucket storage in a folder: each object is a file whose path is its key. */

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { IngestError } from '../../errors.js'
import { type BucketStorage, type BucketStorageOptions, assertKey } from '../storage.js'
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
    close: () => Promise.resolve(),
  }
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
