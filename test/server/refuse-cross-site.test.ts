/** Tests that a server without a token refuses what web pages of other sites send to it. */

import { request, type OutgoingHttpHeaders } from 'node:http'
import t from 'tap'
import { sizeLine } from '../fixtures/records.js'
import { envelope } from './fixtures/envelopes.js'
import { startServer, type Running } from './fixtures/server.js'
import { emptyTables, startStore, storedIds } from './fixtures/store.js'

const store = await startStore(t)
const JSON_BODY = { 'content-type': 'application/json' }

type Asked = { readonly method?: string; readonly path?: string; readonly headers: OutgoingHttpHeaders }

/** Sends a request whose headers `fetch` would not allow. */
async function ask(
  { port }: Running,
  { method = 'GET', path = '/api/commits', headers }: Asked,
): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers }, response => {
      let text = ''
      response.on('data', chunk => (text += String(chunk)))
      response.on('end', () => resolve([response.statusCode ?? 0, text]))
    })
    sent.on('error', reject)
    sent.end(method === 'POST' ? envelope([sizeLine('taxi')]) : undefined)
  })
}

t.test('DNS rebinding: a request for another host name is refused, for reading and for writing', async t => {
  const server = await startServer(t, { store, token: undefined })
  for (const host of ['evil.example', `evil.example:${server.port}`, '127.0.0.1.evil.example', '192.0.2.1']) {
    for (const asked of [{}, { path: '/' }, { path: '/health' }, { method: 'POST', path: '/api/ingest' }]) {
      const [status, text] = await ask(server, { ...asked, headers: { ...JSON_BODY, host } })
      t.equal(status, 403, `${host} ${asked.path}`)
      t.match(JSON.parse(text), { error: 'forbidden', message: /answers only to localhost/ })
    }
  }
  t.strictSame(await storedIds(store), [])
})

t.test('requests from pages of other sites are refused', async t => {
  const server = await startServer(t, { store, token: undefined })
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: `http://127.0.0.1:${server.port + 1}` },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
  ])
    for (const asked of [{}, { method: 'POST', path: '/api/ingest' }, { method: 'OPTIONS', path: '/api/ingest' }]) {
      const [status, text] = await ask(server, { ...asked, headers: { ...JSON_BODY, ...headers } })
      t.equal(status, 403, JSON.stringify(headers))
      t.match(JSON.parse(text), { error: 'forbidden', message: /pages of other sites/ })
    }
  t.strictSame(await storedIds(store), [])
})

t.test('the page itself, links to it, and clients that are no browsers are answered', async t => {
  const server = await startServer(t, { store, token: undefined })
  for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '[::1]']) {
    const own = `${host}:${server.port}`
    for (const headers of [
      {},
      { origin: `http://${own.toLowerCase()}`, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' },
      { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    ])
      t.equal((await ask(server, { headers: { host: own, ...headers } }))[0], 200, JSON.stringify(headers))
  }
  const write = { method: 'POST', path: '/api/ingest', headers: JSON_BODY }
  t.equal((await ask(server, write))[0], 200)
  await emptyTables(store)
})

t.test('a server with a token answers under any name, because it may be behind a proxy', async t => {
  const server = await startServer(t, { store })
  t.equal((await ask(server, { headers: { host: 'bench.example.com', origin: 'https://other.example' } }))[0], 200)
})
