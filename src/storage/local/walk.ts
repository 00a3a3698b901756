/** Lists keys in byte order, reading only folders that can hold requested keys. */

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

/** A key, or a folder of keys, whose `key` ends with a slash. */
type Entry = { readonly key: string; readonly bytes: Buffer }

/** Objects whose keys begin with `prefix` and sort after `after`, in key order. */
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

/** Entries of one folder in key order. A folder of keys sorts by its name with the trailing slash. */
async function entriesIn({ root, prefix, after }: Query, top: string): Promise<readonly Entry[]> {
  const found = await ignoreCodes(['ENOENT', 'ENAMETOOLONG'], readdir(prefixFolder(root, top), { withFileTypes: true }))
  return (found ?? [])
    .filter(entry => entry.isDirectory())
    .flatMap(({ name }) => {
      const parsed = parseName(name)
      return parsed === undefined ? [] : [`${top}${parsed.part}${parsed.isKey ? '' : '/'}`]
    })
    .filter(key => key.startsWith(prefix) && mayFollow(key, after))
    .map(key => ({ key, bytes: Buffer.from(key) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
}

/** Whether a key, or any key in a folder, can sort after `after`. */
function mayFollow(key: string, after: string | undefined): boolean {
  if (after === undefined || (key.endsWith('/') && after.startsWith(key))) return true
  return Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0
}
