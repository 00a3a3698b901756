/** Tests how the page and its files are served. */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import t from 'tap'
import { SCHEMA_VERSION } from '../../src/contract/kinds.js'
import { PAGE_FOLDER } from '../page/fixtures/server.js'
import { startServer } from './fixtures/server.js'
import { startStore } from './fixtures/store.js'

const store = await startStore(t)
const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

t.test('a browser gets the page at the root, and other clients get JSON', async t => {
  const { app } = await startServer(t, { store, pageFolder: PAGE_FOLDER })
  const page = await app.inject({ url: '/', headers: HTML })
  t.match(page.headers, { 'content-type': 'text/html; charset=utf-8', vary: 'accept, accept-encoding' })
  t.match(page.body, '<!doctype html>')
  for (const accept of ['*/*', 'application/json']) {
    const { body } = await app.inject({ url: '/', headers: { accept } })
    t.strictSame(JSON.parse(body), { service: 'vortex-ingest', schema_version: SCHEMA_VERSION })
  }
})

t.test('the page runs nothing and loads nothing that is not its own', async t => {
  const { app } = await startServer(t, { store, pageFolder: PAGE_FOLDER })
  const { headers, body } = await app.inject({ url: '/', headers: HTML })
  const policy = String(headers['content-security-policy'])
  t.match(policy, "default-src 'none'; script-src 'self'; style-src 'self'")
  t.notMatch(policy, /unsafe|https?:|\*/)
  t.notMatch(body, /<style|style=|<script[^>]*>[^<]|\son\w+=/, 'nothing is inline')
  const named = [...body.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, url = '']) => url)
  t.ok(named.length >= 4)
  for (const url of named) {
    t.match(url, /^page\/[a-z]+-[A-Z0-9]{8}\.(?:js|css|svg)$/, 'relative, and named by its content')
    t.equal((await app.inject(`/${url}`)).statusCode, 200)
  }
})

t.test('files named by their content are cached forever, and the page itself is revalidated', async t => {
  const { app } = await startServer(t, { store, pageFolder: PAGE_FOLDER })
  const page = await app.inject({ url: '/', headers: HTML })
  t.equal(page.headers['cache-control'], 'no-cache')
  const script = /page\/main-\w+\.js/.exec(page.body)![0]
  const { headers } = await app.inject(`/${script}`)
  t.match(headers, { 'cache-control': 'public, max-age=31536000, immutable', 'x-content-type-options': 'nosniff' })
  for (const [url, etag] of [
    ['/', page.headers.etag],
    [`/${script}`, headers.etag],
  ] as const) {
    const again = await app.inject({ url, headers: { ...HTML, 'if-none-match': String(etag) } })
    t.strictSame([again.statusCode, again.body, again.headers.etag], [304, '', etag])
  }
  const changed = await app.inject({ url: '/', headers: { ...HTML, 'if-none-match': '"another"' } })
  t.equal(changed.statusCode, 200)
})

t.test('files come packed as the client takes them', async t => {
  const { app } = await startServer(t, { store, pageFolder: PAGE_FOLDER })
  const page = await app.inject({ url: '/', headers: HTML })
  const script = /page\/(main-\w+\.js)/.exec(page.body)![1]!
  const expected = readFileSync(join(PAGE_FOLDER, script))
  const unpacked = {
    'gzip, deflate, br': ['br', brotliDecompressSync],
    gzip: ['gzip', gunzipSync],
    'br;q=0, gzip': ['gzip', gunzipSync],
    identity: [undefined, (bytes: Buffer) => bytes],
  } as const
  for (const [accepted, [encoding, unpack]] of Object.entries(unpacked)) {
    const { headers, rawPayload } = await app.inject({
      url: `/page/${script}`,
      headers: { 'accept-encoding': accepted },
    })
    t.equal(headers['content-encoding'], encoding, accepted)
    t.equal(sha256(unpack(rawPayload)), sha256(expected), accepted)
  }
})

t.test('nothing else of the disk can be had', async t => {
  const { app } = await startServer(t, { store, pageFolder: PAGE_FOLDER })
  for (const name of ['index.html', 'none.js', '..%2fstart.js', '%2e%2e%2fmain.js', '..%5cmain.js', 'main.js%00'])
    t.equal((await app.inject(`/page/${name}`)).statusCode, 404, name)
  const { statusCode, headers } = await app.inject({ method: 'POST', url: '/' })
  t.strictSame([statusCode, headers['allow']], [405, 'GET, HEAD'])
})

t.test('a server that was not built with a page goes on without', async t => {
  const { app } = await startServer(t, { store, pageFolder: join(PAGE_FOLDER, 'none') })
  const { statusCode, body } = await app.inject({ url: '/', headers: HTML })
  t.strictSame([statusCode, JSON.parse(body)], [200, { service: 'vortex-ingest', schema_version: SCHEMA_VERSION }])
})

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
