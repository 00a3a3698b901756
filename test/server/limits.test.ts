/** Tests that neither readers nor writers can take more of the server than their share. */

import { once } from 'node:events'
import type { Socket } from 'node:net'
import t from 'tap'
import type { Store } from '../../src/server/store/store.js'
import { KIND_NAMES, line, SHA, sizeLine } from '../fixtures/records.js'
import { waitUntil } from '../fixtures/wait-until.js'
import { commit, envelope } from './fixtures/envelopes.js'
import { get, HEADERS, post, startServer, type Running } from './fixtures/server.js'
import { head, rawClient } from './fixtures/socket.js'
import { emptyTables, startStore, storedIds } from './fixtures/store.js'

const store = await startStore(t)
const MIB = 1024 * 1024
/** Larger than the values of a page, by names, spaces and numbers. */
const PAGE_BYTES = 4.5 * MIB

type Page = { readonly measurements: readonly Record<string, unknown>[]; readonly next: string | null }

/** A text that contains `name` and has this many bytes. */
function long(name: string, bytes: number): string {
  return JSON.stringify(name.padEnd(bytes, 'x'))
}

async function pages(server: Running, query: string): Promise<readonly Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for (let after = ''; ;) {
    const { status, text, body } = await get(server, `/api/measurements?${query}${after}`)
    t.equal(status, 200)
    t.ok(text.length < PAGE_BYTES, `${text.length} bytes`)
    const { measurements, next } = body as Page
    rows.push(...measurements)
    if (next === null) return rows
    after = `&after=${next}`
  }
}

t.test('a page of large measurements ends early, and the cursor reaches all of them once', async t => {
  const server = await startServer(t, { store })
  const kinds = KIND_NAMES.filter(kind => kind !== 'compression_size')
  const records = kinds.flatMap(kind =>
    [1, 2].map(n => line(kind, { dataset: `"${n}"`, env_triple: long('', 1_500_000) })),
  )
  t.equal((await post(server, envelope([...records, sizeLine('1'), sizeLine('2')]))).status, 200)
  const ids = await storedIds(store)
  for (const query of [`commit=${SHA}`, `commit=${SHA}&kind=compression_time`, `ids=${ids.join(',')}`]) {
    const found = await pages(server, query)
    const wanted = query.includes('kind=') ? 2 : ids.length
    t.equal(found.length, wanted)
    t.equal(new Set(found.map(row => row['measurement_id'])).size, wanted, query)
  }
  await emptyTables(store)
})

t.test('a measurement that exceeds a page is listed without its values', async t => {
  const server = await startServer(t, { store })
  const large = line('compression_time', { env_triple: long('', 5 * MIB) })
  await post(server, envelope([large, sizeLine('small')]))
  const rows = await pages(server, `commit=${SHA}`)
  t.ok(Number(rows.find(row => row['kind'] === 'compression_time')?.['too_large']) > 5 * MIB)
  t.match(
    rows.find(row => row['kind'] === 'compression_size'),
    { dataset: 'small' },
  )
  await emptyTables(store)
})

t.test('a large group is streamed whole, in parts', async t => {
  const server = await startServer(t, { store })
  const records = Array.from({ length: 5 }, (_, n) =>
    line('query_measurement', { query_idx: String(n), env_triple: long(String(n), 1_500_000) }),
  )
  await post(server, envelope(records))
  const { body } = await get(server, '/api/group/query_measurement.tpch.clustered.10.nvme')
  t.equal((body as unknown as Page).measurements.length, 5)
  await emptyTables(store)
})

t.test('lists shorten long texts of commits, and one commit has its message', async t => {
  const server = await startServer(t, { store })
  const message = 'm'.repeat(900_000)
  for (const sha of ['one', 'two', 'three'])
    await post(server, envelope([], { commit: commit(sha, { message, author_name: 'a'.repeat(900_000) }) }))
  const { text, body } = await get(server, '/api/commits?n=100')
  const [first] = (body as { commits: { message: string; author_name: string }[] }).commits
  t.strictSame([first?.message.length, first?.message.at(-1), first?.author_name.length], [2_001, '…', 501])
  t.ok(text.length < 20_000)
  t.equal((await get(server, '/api/commits/one')).body['message'], message)
  await emptyTables(store)
})

t.test('groups and series with names that nobody can read are not listed', async t => {
  const server = await startServer(t, { store })
  const query = (changes: Readonly<Record<string, string>>): string => line('query_measurement', changes)
  await post(
    server,
    envelope([
      query({}),
      query({ dataset: long('d', 2_000) }),
      query({ engine: long('e', 2_000) }),
      query({ query_idx: '9' }),
    ]),
  )
  const { groups } = (await get(server, '/api/groups')).body as { groups: { slug: string }[] }
  t.equal(groups.length, 1)
  const { body } = await get(server, `/api/history/${groups[0]!.slug}`)
  t.equal((body as { series: unknown[] }).series.length, 2)
  await emptyTables(store)
})

t.test('500 ids are answered, more are refused, and so is an address that is too long', async t => {
  const server = await startServer(t, { store })
  await post(server, envelope([sizeLine('taxi')]))
  const id = (await storedIds(store))[0]!
  const ids = (count: number): string =>
    [id, ...Array.from({ length: count - 1 }, (_, n) => String(-9223372036854775808n + BigInt(n)))].join(',')
  t.equal((await pages(server, `ids=${ids(500)}`)).length, 1)
  const { status, body } = await get(server, `/api/measurements?ids=${ids(501)}`)
  t.strictSame([status, body['message']], [400, 'ids takes at most 500 ids, got 501'])
  const client = await rawClient(t, server)
  client.send(head('GET', '/health?version', {}))
  await client.untilReceived(/schema_version/)
  client.send(head('GET', `/api/measurements?ids=${ids(5_000)}`, {}))
  t.match(await client.closed, /HTTP\/1\.1 431 .*"headers_too_large","message":"[^"]*500 ids"}$/s)
  await emptyTables(store)
})

t.test('a writer of the embedded database gets its turn among 200 readers', async t => {
  const server = await startServer(t, { store })
  await post(server, envelope(Array.from({ length: 20 }, (_, n) => sizeLine(`set-${n}`))))
  let asked = 0
  server.app.server.on('request', () => asked++)
  const reads = Array.from({ length: 200 }, () => get(server, `/api/measurements?commit=${SHA}`))
  await waitUntil(() => asked === 200)
  t.equal((await post(server, envelope([sizeLine('late')]))).status, 200)
  const before = server.entries.filter(({ method }) => method === 'GET').length
  t.ok((await Promise.all(reads)).every(({ status }) => status === 200))
  t.ok(before < 100, `${before} readers were answered before the writer`)
  await emptyTables(store)
})

/** A store whose reads and writes wait until they are let through. */
function heldStore(): { readonly held: Store; readonly open: () => void; readonly arrived: () => number } {
  let arrived = 0
  let open = (): void => undefined
  const gate = new Promise<void>(resolve => (open = resolve))
  const hold = async <T>(work: () => Promise<T>): Promise<T> => {
    arrived++
    await gate
    return work()
  }
  const held: Store = {
    ...store,
    read: work => hold(() => store.read(work)),
    write: delivery => hold(() => store.write(delivery)),
  }
  return { held, open, arrived: () => arrived }
}

t.test('readers beyond the queue get 503, and those that left cost no query', async t => {
  const { held, open, arrived } = heldStore()
  const server = await startServer(t, { store: held })
  const leaving = new AbortController()
  let asked = 0
  server.app.server.on('request', () => asked++)
  const reads = Array.from({ length: 300 }, () => fetch(`${server.url}/api/commits`, { signal: leaving.signal }))
  for (const read of reads) read.catch(() => undefined)
  await waitUntil(() => server.entries.length >= 46)
  t.match(
    server.entries,
    Array.from({ length: 46 }, () => ({ status: 503, error: 'busy' })),
  )
  const refused = await fetch(`${server.url}/api/commits`)
  t.strictSame([refused.status, refused.headers.get('retry-after')], [503, '1'])
  t.equal((await get(server, '/health?version')).status, 200)
  leaving.abort()
  await waitUntil(() => server.entries.length >= 302)
  open()
  t.equal((await get(server, '/api/commits')).status, 200)
  t.equal(arrived(), 5)
})

t.test('a reader that takes nothing is cut off', async t => {
  const writing = await startServer(t, { store })
  const server = await startServer(t, { store, limits: { stallMs: 300 } })
  const records = Array.from({ length: 24 }, (_, n) =>
    line('query_measurement', { query_idx: String(n), env_triple: long(String(n), 1_500_000) }),
  )
  await post(writing, envelope(records.slice(0, 12)))
  await post(writing, envelope(records.slice(12)))
  const client = await rawClient(t, server)
  client.socket.pause()
  client.send(head('GET', '/api/group/query_measurement.tpch.clustered.10.nvme', {}))
  await waitUntil(() => server.entries.some(({ route }) => route === '/api/group/:slug'))
  t.match(server.entries.at(-1), { route: '/api/group/:slug', status: null })
  await emptyTables(store)
})

t.test('bodies that exceed the total together are refused with 503, and time out when they stall', async t => {
  const server = await startServer(t, { store, limits: { maxBodyBytes: MIB, stallMs: 2_000 } })
  const clients = await Promise.all(Array.from({ length: 20 }, () => rawClient(t, server)))
  for (const client of clients) {
    client.send(head('POST', '/api/ingest', { ...HEADERS, 'content-length': MIB }))
    client.send(Buffer.alloc(MIB - 1, ' '))
  }
  await waitUntil(() => clients.filter(client => client.received().includes('"busy"')).length === 4)
  t.match(clients.find(client => client.received() !== '')?.received(), /^HTTP\/1\.1 503 .*retry-after: 1/is)
  await waitUntil(() => server.entries.length === 20)
  t.equal(server.entries.filter(({ status }) => status === 408).length, 16)
  t.equal((await post(server, envelope([]))).status, 200)
  await emptyTables(store)
})

t.test('an envelope whose client left before its transaction is dropped, and the log says so', async t => {
  const { held, open, arrived } = heldStore()
  const server = await startServer(t, { store: held })
  const connected = once(server.app.server, 'connection') as Promise<Socket[]>
  const client = await rawClient(t, server)
  const [connection] = await connected
  const body = Buffer.from(envelope([sizeLine('taxi')]))
  client.send(head('POST', '/api/ingest', { ...HEADERS, 'content-length': body.length }))
  client.send(body)
  await waitUntil(() => arrived() === 1)
  client.socket.destroy()
  await waitUntil(() => connection?.destroyed === true)
  open()
  await waitUntil(() => server.entries.length === 1)
  t.match(server.entries, [{ status: null, error: 'client_gone', reason: /nothing was stored/ }])
  t.strictSame(await storedIds(store), [])
  t.equal((await post(server, body)).status, 200)
  await emptyTables(store)
})
