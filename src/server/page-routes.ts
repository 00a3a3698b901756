/** Serves the page at `/` and its files. The files are read from disk at the first request. */

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Content security policy: only files of this server may load or run, and the page must not be framed. */
const POLICY = [
  ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"],
].join('; ')

/** The only file whose name does not contain a hash of its content. */
const INDEX = 'index.html'
const FOR_EVER = 'public, max-age=31536000, immutable'
const ASK_AGAIN = 'no-cache'

export type PageOptions = {
  /** Folder that holds the built page. */
  readonly folder: string
  /** JSON answer of `/` for clients that do not accept HTML. */
  readonly greeting: Readonly<Record<string, unknown>>
}

export function addPageRoutes(app: FastifyInstance, { folder, greeting }: PageOptions): void {
  let reading: ReturnType<typeof readAssets> | undefined
  const find = async (name: string): Promise<Asset | undefined> => (await (reading ??= readAssets(folder))).get(name)
  app.get('/', async (request, reply) => {
    reply.header('vary', 'accept, accept-encoding')
    const index = wantsHtml(request) ? await find(INDEX) : undefined
    return index === undefined ? greeting : sendAsset(request, reply, index)
  })
  app.get('/page/:name', async (request, reply) => {
    const { name } = request.params as { readonly name: string }
    const asset = name === INDEX ? undefined : await find(name)
    if (asset === undefined) return reply.code(404).send({ error: 'not_found' })
    return sendAsset(request, reply.header('vary', 'accept-encoding'), asset)
  })
}

function wantsHtml({ headers }: FastifyRequest): boolean {
  return /\btext\/html\b/.test(headers.accept ?? '')
}

function sendAsset(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  { name, type, etag, bodies }: Asset,
): FastifyReply {
  reply.headers({
    'content-security-policy': POLICY,
    'cache-control': name === INDEX ? ASK_AGAIN : FOR_EVER,
    etag,
  })
  if (headers['if-none-match']?.includes(etag) === true) return reply.code(304).send()
  const encoding = encodingFor(headers['accept-encoding'], bodies)
  if (encoding !== 'identity') reply.header('content-encoding', encoding)
  return reply.type(type).send(bodies.get(encoding))
}

/** The first variant that the client accepts. Ignores quality values except 0, because browsers send no others. */
function encodingFor(header: string | string[] | undefined, bodies: Asset['bodies']): Encoding {
  const taken = String(header ?? '')
    .split(',')
    .filter(part => !/;\s*q=0(?:\.0*)?\s*$/.test(part))
    .map(part => part.replace(/;.*/, '').trim())
  return [...bodies.keys()].find(encoding => taken.includes(encoding)) ?? 'identity'
}

type Encoding = 'br' | 'gzip' | 'identity'

type Asset = {
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
async function readAssets(folder: string): Promise<ReadonlyMap<string, Asset>> {
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
