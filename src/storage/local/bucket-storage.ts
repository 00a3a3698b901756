/** Plain files in a folder, by the names of their keys. */

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { IngestError } from '../../errors.js'
import type { BucketStorage, BucketStorageOptions } from '../bucket-storage.js'
import { assertKey } from '../storage.js'
import { tryRemoveFile, makeFolders, syncFolders, ignoreCodes, writeNewFile } from './durable-files.js'
import { explainFileErrors } from './failure.js'

export function localBucketStorage(root: string, { mustExist = false }: BucketStorageOptions = {}): BucketStorage {
  const inRoot = <T>(work: () => Promise<T>): Promise<T> =>
    explainFileErrors(root, async () => {
      if (mustExist) await assertThere(root)
      return work()
    })
  return {
    description: root,
    get: key => inRoot(() => ignoreCodes(['ENOENT'], read(pathOf(root, key)))),
    put: (key, body) => inRoot(() => write(pathOf(root, key), body)),
    close: () => Promise.resolve(),
  }
}

async function assertThere(root: string): Promise<void> {
  const found = await ignoreCodes(['ENOENT'], stat(root))
  if (found?.isDirectory() === true) return
  const hint = 'put it back, or mount it; what was to be written there can be sent again'
  throw new IngestError('storage_failed', `the folder ${root} is not there`, { hint })
}

/** A FIFO would be waited for, and a device may have no end: four such reads, and no file of the process is read. */
async function read(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    if ((await file.stat()).isFile()) return await file.readFile()
    throw new IngestError('storage_failed', `${path} is no file`, { hint: 'move away what is there' })
  } finally {
    await file.close()
  }
}

/** Nobody sees a part of it: it is renamed once it is whole. */
async function write(path: string, body: Buffer): Promise<void> {
  const folder = dirname(path)
  const made = await makeFolders(folder)
  const unfinished = join(folder, `.${randomBytes(8).toString('hex')}.part`)
  try {
    await writeNewFile(unfinished, body)
    await rename(unfinished, path)
  } catch (error) {
    await tryRemoveFile(unfinished)
    throw error
  }
  await syncFolders(folder, made)
}

function pathOf(root: string, key: string): string {
  assertKey(key)
  return join(root, ...key.split('/'))
}
