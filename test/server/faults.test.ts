/** Tests slow, large, disconnected and concurrent clients on real sockets. */

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { sizeLine } from '../fixtures/records.js'
import { envelope } from './fixtures/envelopes.js'
import { get, HEADERS, post, startServer, type Running } from './fixtures/server.js'
import { head, rawClient } from './fixtures/socket.js'
import { emptyTables, startStore, storedIds } from './fixtures/store.js'
import { waitUntil } from '../fixtures/wait-until.js'

const store = await startStore(t)
const MIB = 1024 * 1024
const one = Buffer.from(envelope([sizeLine('taxi')]))

async function untilLogged(server: Running, count: number): Promise<void> {
  await waitUntil(() => server.entries.length >= count)
}

t.test('a client that sends its headers too slowly is disconnected', async t => {
  const server = await startServer(t, { store, limits: { headersTimeoutMs: 300 } })
  const client = await rawClient(t, server)
  client.send('POST /api/ingest HTTP/1.1\r\nHost: localhost\r\n')
  const drip = setInterval(() => client.send('X-A: b\r\n'), 50)
  t.teardown(() => clearInterval(drip))
  const startedAt = Date.now()
  t.match(await client.closed, /^HTTP\/1\.1 408 .*"error":"timeout"/s)
  t.ok(Date.now() - startedAt < 15_000)
})

t.test('a client that stops in the middle of a body is disconnected, and nothing is stored', async t => {
  const server = await startServer(t, { store, limits: { stallMs: 200 } })
  const client = await rawClient(t, server)
  client.send(head('POST', '/api/ingest', { ...HEADERS, 'content-length': one.length }))
  client.send(one.subarray(0, -1))
  await client.closed
  await untilLogged(server, 1)
  t.match(server.entries, [{ route: '/api/ingest', status: 408, error: 'timeout' }])
  t.strictSame(await storedIds(store), [])
})

t.test('a client that sends its body byte by byte is disconnected at the time limit of a request', async t => {
  const server = await startServer(t, { store, limits: { stallMs: 200, requestTimeoutMs: 600, headersTimeoutMs: 500 } })
  const client = await rawClient(t, server)
  client.send(head('POST', '/api/ingest', { ...HEADERS, 'content-length': one.length }))
  let at = 0
  const drip = setInterval(() => client.send(one.subarray(at, ++at)), 50)
  t.teardown(() => clearInterval(drip))
  const startedAt = Date.now()
  await client.closed
  t.ok(Date.now() - startedAt < 15_000)
  t.strictSame(await storedIds(store), [])
})

t.test('a client that dies in its body leaves nothing, and is in the log', async t => {
  const server = await startServer(t, { store })
  const client = await rawClient(t, server)
  const asked = once(server.app.server, 'request')
  client.send(head('POST', '/api/ingest', { ...HEADERS, 'content-length': one.length }))
  client.send(one.subarray(0, -1))
  await asked
  client.socket.resetAndDestroy()
  await untilLogged(server, 1)
  t.match(server.entries, [{ status: null, error: 'client_gone' }])
  t.strictSame(await storedIds(store), [])
  t.equal((await post(server, one)).status, 200)
  await emptyTables(store)
})

t.test('a client without the token gets its answer before the body is read', async t => {
  const server = await startServer(t, { store })
  const client = await rawClient(t, server)
  client.send(head('POST', '/api/ingest', { ...HEADERS, authorization: 'Bearer no', 'content-length': 60 * MIB }))
  await client.untilReceived(/"unauthorized"/)
  t.match(client.received(), /^HTTP\/1\.1 401 .*connection: close/is)
  t.ok(client.socket.bytesWritten < 1_000)
  client.socket.end()
  await client.closed
})

t.test('a client that sends a large body without a token can still read the answer', async t => {
  const server = await startServer(t, { store })
  const client = await rawClient(t, server)
  const hidden = head('GET', '/health', {})
  client.send(head('POST', '/api/ingest', { 'content-length': 4 * MIB + hidden.length }))
  client.send(Buffer.alloc(4 * MIB, 'x'))
  client.send(hidden + hidden)
  const startedAt = Date.now()
  client.socket.end()
  const text = await client.closed
  t.equal(text.match(/HTTP\/1\.1/g)?.length, 1)
  t.match(text, /"unauthorized"/)
  t.equal(server.entries.length, 1, 'what follows is no request any more')
  t.ok(Date.now() - startedAt < 15_000)
})

t.test('a client that keeps sending without a token is disconnected', async t => {
  const server = await startServer(t, { store })
  const client = await rawClient(t, server, { allowHalfOpen: true })
  client.send(head('POST', '/api/ingest', { 'transfer-encoding': 'chunked' }))
  const flood = setInterval(() => client.send('1\r\nx\r\n'), 20)
  t.teardown(() => clearInterval(flood))
  const startedAt = Date.now()
  t.match(await client.closed, /"unauthorized"/)
  const tookMs = Date.now() - startedAt
  t.ok(tookMs > 1_000 && tookMs < 15_000, `${tookMs} ms`)
})

t.test('a body that is announced too large is refused unread', async t => {
  const server = await startServer(t, { store })
  for (const length of [64 * MIB + 1, 1e15]) {
    const client = await rawClient(t, server)
    client.send(head('POST', '/api/ingest', { ...HEADERS, 'content-length': length }))
    await client.untilReceived(/"body_too_large"/)
    t.match(client.received(), /^HTTP\/1\.1 413 /)
    client.socket.destroy()
  }
})

t.test('a body that grows too large is refused where it does', async t => {
  const server = await startServer(t, { store, limits: { maxBodyBytes: MIB } })
  const client = await rawClient(t, server)
  client.send(head('POST', '/api/ingest', { ...HEADERS, 'transfer-encoding': 'chunked' }))
  const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000, ' '), Buffer.from('\r\n')])
  for (let sent = 0; sent < 3 * MIB && client.received() === ''; sent += 0x10000) {
    client.send(chunk)
    await sleep(1)
  }
  await client.untilReceived(/"body_too_large"/)
  t.match(client.received(), /^HTTP\/1\.1 413 /)
  client.socket.end()
  await client.closed
})

t.test('Expect: 100-continue is answered only when the body will be read', async t => {
  const server = await startServer(t, { store })
  const wanted = await rawClient(t, server)
  wanted.send(head('POST', '/api/ingest', { ...HEADERS, 'content-length': one.length, expect: '100-continue' }))
  await wanted.untilReceived(/100 Continue/)
  wanted.send(one)
  await wanted.untilReceived(/"inserted":1/)
  for (const headers of [
    { authorization: 'Bearer no' },
    { 'content-type': 'text/plain' },
    { 'content-length': 65 * MIB },
  ]) {
    const client = await rawClient(t, server)
    client.send(head('POST', '/api/ingest', { ...HEADERS, 'content-length': 10, ...headers, expect: '100-continue' }))
    await client.untilReceived(/"error"/)
    t.match(client.received(), /^HTTP\/1\.1 4(01|13|15) /)
    client.socket.destroy()
  }
  await emptyTables(store)
})

t.test('bytes that are no request are answered once, and the connection ends', async t => {
  const server = await startServer(t, { store })
  for (const [bytes, status] of [
    ['\x16\x03\x01\x02\x00\x01', 400],
    ['GET\r\n\r\n', 400],
    ['POST /api/ingest HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, 431],
  ] as const) {
    const client = await rawClient(t, server)
    client.send(bytes)
    t.match(await client.closed, new RegExp(`^HTTP/1\\.1 ${status} .*"error"`, 's'))
  }
  t.equal((await get(server, '/health')).status, 200)
})

t.test('fourteen writers at once all succeed, and the log of the store is kept short', async t => {
  const server = await startServer(t, { store })
  const writers = Array.from({ length: 14 }, (_, writer) =>
    envelope(
      Array.from({ length: 200 }, (_, index) => sizeLine(index < 100 ? `shared-${index}` : `${writer}-${index}`)),
    ),
  )
  const answers = await Promise.all(writers.map(body => post(server, body)))
  t.ok(answers.every(({ status }) => status === 200))
  const inserted = answers.reduce((sum, { body }) => sum + Number(body['inserted']), 0)
  t.equal(inserted, 100 + 14 * 100)
  t.equal((await storedIds(store)).length, inserted)
  await emptyTables(store)
})

t.test('a server that shuts down answers new requests with 503 and closes its connections', async t => {
  const server = await startServer(t, { store })
  const client = await rawClient(t, server)
  client.send(head('GET', '/health', {}))
  await client.untilReceived(/"status":"ok"/)
  server.drain()
  client.send(head('POST', '/api/ingest', { ...HEADERS, 'content-length': 0 }))
  t.match(await client.closed, /HTTP\/1\.1 503 .*retry-after: 1.*"shutting_down"/s)
})
