/** The built files of the page, with their content types, ETags and compressed variants. */

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'

export type Encoding = 'br' | 'gzip' | 'identity'

export type Asset = {
  readonly name: string
  readonly type: string
  readonly etag: string
  /** The file by encoding: uncompressed, and in each compressed variant that the build made. */
  readonly bodies: ReadonlyMap<Encoding, Buffer>
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
}

const PACKED: Readonly<Partial<Record<string, Encoding>>> = { '.br': 'br', '.gz': 'gzip' }

/** Reads all files of the page, by name. Empty when the page was not built. @param folder `page` beside the bundle */
export async function readAssets(folder: string): Promise<ReadonlyMap<string, Asset>> {
  const names = await readdir(folder).catch(() => [])
  const plain = names.filter(name => extname(name) in TYPES)
  const assets = plain.map(async name => [name, await readAsset(folder, name, names)] as const)
  return new Map(await Promise.all(assets))
}

async function readAsset(folder: string, name: string, names: readonly string[]): Promise<Asset> {
  const body = await readFile(join(folder, name))
  const bodies = new Map<Encoding, Buffer>()
  for (const [ending, encoding] of Object.entries(PACKED))
    if (encoding !== undefined && names.includes(name + ending))
      bodies.set(encoding, await readFile(join(folder, name + ending)))
  bodies.set('identity', body)
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  return { name, type: TYPES[extname(name)]!, etag, bodies }
}
