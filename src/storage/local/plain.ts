/** Plain files in a folder, by the names of their keys. */

import { randomBytes } from 'node:crypto'
import { readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { PlainObjects } from '../plain.js'
import { assertKey } from '../storage.js'
import { discardFile, makeFolders, syncFolders, unless, writeNewFile } from './durable.js'
import { explained } from './failure.js'

/** The folder need not exist yet. */
export function plainFiles(root: string): PlainObjects {
  return {
    description: root,
    get: key => explained(root, () => unless(['ENOENT'], readFile(pathOf(root, key)))),
    put: (key, body) => explained(root, () => write(pathOf(root, key), body)),
    close: () => Promise.resolve(),
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
    await discardFile(unfinished)
    throw error
  }
  await syncFolders(folder, made)
}

function pathOf(root: string, key: string): string {
  assertKey(key)
  return join(root, ...key.split('/'))
}
