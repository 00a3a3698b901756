/** Serves the page at `/` and its files. The files are read from disk at the first request. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { readAssets, type Asset, type Encoding } from './assets.js'

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
