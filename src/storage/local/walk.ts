/** Lists keys in the order of their bytes, folder by folder, reading only those that may hold what is asked for. */

import { readdir } from 'node:fs/promises'
import { isKey, type Listed } from '../storage.js'
import { bodyBytes, findContent } from './content.js'
import { ignoreCodes } from './durable-files.js'
import { keyFolder, prefixFolder, parseName } from './key-folder.js'

type Query = {
  readonly root: string
  readonly prefix: string
  readonly after: string | undefined
}

/** One key, or with a slash at its end all keys that begin with it. */
type Entry = { readonly key: string; readonly bytes: Buffer }

export async function* walkKeys(query: Query): AsyncGenerator<Listed> {
  const top = query.prefix.slice(0, query.prefix.lastIndexOf('/') + 1)
  if (top === '' || (isKey(top.slice(0, -1)) && mayFollow(top, query.after))) yield* walkFolder(query, top)
}

async function* walkFolder(query: Query, top: string): AsyncGenerator<Listed> {
  for (const { key } of await entriesIn(query, top)) {
    if (key.endsWith('/')) {
      yield* walkFolder(query, key)
      continue
    }
    const found = await findContent(keyFolder(query.root, key))
    if (found !== undefined) yield { key, bytes: bodyBytes(found.version) }
  }
}

/** A folder's keys sort as if its name ended with the slash that they go on with. */
async function entriesIn({ root, prefix, after }: Query, top: string): Promise<readonly Entry[]> {
  const found = await ignoreCodes(['ENOENT', 'ENAMETOOLONG'], readdir(prefixFolder(root, top), { withFileTypes: true }))
  return (found ?? [])
    .filter(entry => entry.isDirectory())
    .flatMap(({ name }) => {
      const read = parseName(name)
      return read === undefined ? [] : [`${top}${read.part}${read.isKey ? '' : '/'}`]
    })
    .filter(key => key.startsWith(prefix) && mayFollow(key, after))
    .map(key => ({ key, bytes: Buffer.from(key) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
}

/** Whether a key, or for a folder any key in it, sorts after `after`. */
function mayFollow(key: string, after: string | undefined): boolean {
  if (after === undefined || (key.endsWith('/') && after.startsWith(key))) return true
  return Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0
}
