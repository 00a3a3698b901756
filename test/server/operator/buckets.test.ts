import t, { type Test } from 'tap'
import { CreateBucketCommand, DeleteBucketCommand } from '@aws-sdk/client-s3'
import { existsSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addTarget } from '../../../src/state/targets.js'
import { memoryStorage } from '../../../src/storage/memory.js'
import { JSON_TYPE, OPERATOR_TOKEN, startOperated } from '../fixtures/operator.js'
import { TOKEN } from '../fixtures/server.js'
import { head, rawClient } from '../fixtures/socket.js'
import { startStore } from '../fixtures/store.js'
import { waitUntil } from '../../fixtures/wait-until.js'
import { findMoto, NO_MOTO, startMoto } from '../../fixtures/moto.js'

const python = await findMoto()
const moto = python === undefined ? undefined : await startMoto(t, python)
const store = await startStore(t)
const folder = t.testdir({})
const server = await startOperated(t, { store, storage: memoryStorage(), limits: { maxBodyBytes: 3_000_000 } })
const { ask } = server
const addBucket = (name: string, root: string) =>
  ask('POST', '/storage/buckets', JSON.stringify({ name, root }), JSON_TYPE)
const BODY = new Uint8Array([0, 255, 10])

t.test('a bucket comes, is listed, is a conflict the second time, and goes', async t => {
  const root = join(folder, 'deep', 'cold')
  const added = await addBucket('cold', root)
  t.match(added, {
    status: 201,
    body: { bucket: { name: 'cold', backend: 'local', root, built_in: false, used_by: [] } },
  })
  t.equal(added.headers.get('location'), '/storage/buckets/cold')
  t.ok(existsSync(root), 'its folder was made')
  t.match(await addBucket('cold', root), { status: 409, body: { error: 'already_exists' } })
  t.match(await ask('GET', '/storage/buckets'), {
    status: 200,
    body: { buckets: [{ name: 'primary', built_in: true }, { name: 'rescue' }, { name: 'cold' }] },
  })
  t.match(await ask('DELETE', '/storage/buckets/cold'), { status: 204, text: '' })
  t.match(await ask('DELETE', '/storage/buckets/cold'), { status: 404, body: { error: 'not_found' } })
})

t.test('primary and rescue cannot be removed, nor a bucket that is in use', async t => {
  for (const name of ['primary', 'rescue'])
    t.match(await ask('DELETE', `/storage/buckets/${name}`), { status: 403, body: { error: 'protected' } })
  await addBucket('used', 'memory:')
  const none = { secretEnv: undefined, rolePolicy: undefined, region: undefined, insecureLocal: false }
  const archive = { name: 'keep', kind: 'archive', address: 'used', identity: 'a', isRequired: true, bucket: 'used' }
  await addTarget(server.state, { ...none, ...archive, kind: 'archive' })
  t.match(await ask('DELETE', '/storage/buckets/used'), { status: 409, body: { error: 'in_use', message: /keep/ } })
})

t.test('a bucket that cannot be is refused with the reason, and is not there', async t => {
  for (const [body, status] of [
    ['{"name":"bad","root":""}', 400],
    ['{"name":"bad","root":"  "}', 400],
    ['{"name":"bad","root":"gopher://x"}', 400],
    ['{"name":"Bad","root":"memory:"}', 400],
    ['{"name":"../bad","root":"memory:"}', 400],
    ['{"name":"bad"}', 400],
    ['{"name":"bad","root":"memory:","more":1}', 400],
    ['{"name":1,"root":"memory:"}', 400],
    ['[]', 400],
    ['null', 400],
    ['{', 400],
    [JSON.stringify({ name: 'bad', root: 'x'.repeat(70_000) }), 413],
  ] as const) {
    const answer = await ask('POST', '/storage/buckets', body, JSON_TYPE)
    t.equal(answer.status, status, body.slice(0, 60))
    t.type(answer.body['error'], 'string')
  }
  t.equal((await ask('POST', '/storage/buckets', '{}', { 'content-type': 'text/plain' })).status, 415)
  t.notMatch((await ask('GET', '/storage/buckets')).text, /bad/i)
})

t.test('an object is read byte for byte from the bucket it was put into', async t => {
  await addBucket('own', join(folder, 'own'))
  const put = await ask('PUT', '/storage/buckets/own/objects/a/b%20c.json', BODY)
  t.match(put, { status: 200, body: { bucket: 'own', key: 'a/b c.json', bytes: 3 } })
  const response = await fetch(`${server.url}/storage/buckets/own/objects/a%2Fb%20c.json`, {
    headers: { authorization: `Bearer ${OPERATOR_TOKEN}` },
  })
  t.same(Buffer.from(await response.arrayBuffer()), Buffer.from(BODY))
  t.equal(response.headers.get('content-type'), 'application/octet-stream')
  t.match(headersOf(response.headers), { asked: 'own', answered: 'own', rescued: 'false' })
  t.equal((await ask('HEAD', '/storage/buckets/own/objects/a/b%20c.json')).headers.get('content-length'), '3')
})

t.test('a large object goes over the disk and comes back', async t => {
  const large = new Uint8Array(2_500_000).fill(65)
  t.equal((await ask('PUT', '/storage/buckets/primary/objects/large', large)).status, 200)
  t.equal((await ask('GET', '/storage/buckets/primary/objects/large')).text.length, large.length)
})

t.test('an object that exceeds the limit is not read, and its answer says how to get it', async t => {
  const root = join(folder, 'large')
  await addBucket('large', root)
  writeFileSync(join(root, 'k'), '')
  truncateSync(join(root, 'k'), 3_000_001)
  writeFileSync(join(root, 'k2'), 'x')
  const object = (key: string): string => `/storage/buckets/large/objects/${key}`
  const refused = await ask('GET', object('k'))
  t.match(refused, { status: 400, body: { error: 'bad_request', message: /k has 3000001 bytes, .* limit of 3000000/ } })
  t.equal((await ask('GET', object('k2'))).status, 200)
  truncateSync(join(root, 'k'), 3_000_000)
  t.equal((await ask('GET', object('k'))).status, 200)
  const { body } = await ask('GET', '/storage/errors?target=large&since=1h')
  t.strictSame(body['events'], [], 'a refused size is no failure of the bucket')
})

t.test('four clients that do not read hold the memory of four objects, and the next one waits', async t => {
  const storage = memoryStorage()
  const own = await startOperated(t, { store, storage, limits: { maxBodyBytes: 40_000_000 } })
  await own.ask('PUT', '/storage/buckets/primary/objects/large', new Uint8Array(40_000_000))
  const clients = await Promise.all(Array.from({ length: 4 }, () => rawClient(t, own)))
  const headers = { authorization: `Bearer ${OPERATOR_TOKEN}` }
  for (const { socket, send } of clients) {
    socket.pause()
    send(head('GET', '/storage/buckets/primary/objects/large', headers))
  }
  await waitUntil(() => clients.every(({ socket }) => socket.bytesRead + socket.readableLength > 0))
  const order: string[] = []
  const fifth = own.ask('GET', '/storage/buckets/primary/objects/missing').then(() => order.push('answered'))
  for (let round = 0; round < 30; round++) await own.ask('GET', '/storage/buckets')
  order.push('left')
  clients[0]?.socket.destroy()
  await fifth
  t.strictSame(order, ['left', 'answered'])
})

t.test('the rescue bucket answers for an object that a bucket lacks, and the headers name it', async t => {
  await ask('PUT', '/storage/buckets/rescue/objects/kept', BODY)
  const rescued = await ask('GET', '/storage/buckets/primary/objects/kept')
  t.equal(rescued.status, 200)
  t.match(headersOf(rescued.headers), { asked: 'primary', answered: 'rescue', rescued: 'true' })
  t.match(await ask('GET', '/storage/buckets/primary/objects/nowhere'), { status: 404, body: { error: 'not_found' } })
})

t.test('a bucket that went away: 503 for a write, a rescued read, all of it in the journal; it comes back', async t => {
  const root = join(folder, 'gone')
  await addBucket('gone', root)
  await goesAway(t, 'gone', {
    away: () => renameSync(root, `${root} elsewhere`),
    back: () => renameSync(`${root} elsewhere`, root),
  })
})

if (moto === undefined) t.pass('a bucket in S3 that went away', { skip: NO_MOTO })
else
  t.test('a bucket in S3 that went away, and came back', async t => {
    const Bucket = await moto.createBucket()
    await addBucket('far', `s3://${Bucket}/p?endpoint=${moto.endpoint}&path-style=true`)
    await goesAway(t, 'far', {
      away: () => moto.client.send(new DeleteBucketCommand({ Bucket })),
      back: () => moto.client.send(new CreateBucketCommand({ Bucket })),
    })
  })

type Fate = { readonly away: () => unknown; readonly back: () => unknown }

async function goesAway(t: Test, name: string, { away, back }: Fate): Promise<void> {
  const object = (key: string): string => `/storage/buckets/${name}/objects/${key}`
  const stateOf = async (): Promise<unknown> => {
    const { body } = await ask('GET', '/storage/bucket-health')
    const health = body['health'] as readonly { readonly name: string; readonly state: string }[]
    return health.find(one => one.name === name)?.state
  }
  await ask('PUT', '/storage/buckets/rescue/objects/kept', BODY)
  await away()
  const refused = await ask('PUT', object('new'), BODY)
  t.match(refused, { status: 503, body: { error: 'storage_failed', message: String } })
  t.equal((await ask('GET', '/storage/buckets/rescue/objects/new')).status, 404, 'it lies nowhere else')
  const rescued = await ask('GET', object('kept'))
  t.match([rescued.status, headersOf(rescued.headers)], [200, { asked: name, answered: 'rescue', rescued: 'true' }])
  t.equal((await ask('GET', object('new'))).status, 503, 'what rescue misses too')
  const { body } = await ask('GET', `/storage/errors?target=${name}&since=1h`)
  const events = body['events'] as readonly { readonly operation: string; readonly run: string }[]
  t.same(events.map(({ operation }) => operation).sort(), ['get', 'get', 'put'])
  t.match(events[0], { subject: 'bucket', name, code: 'storage_failed', run: 'serve' })
  t.equal(await stateOf(), 'failing')
  await back()
  t.equal((await ask('PUT', object('new'), BODY)).status, 200)
  t.match(headersOf((await ask('GET', object('new'))).headers), { answered: name, rescued: 'false' })
  t.equal(await stateOf(), 'recovered')
}

for (const key of [
  ...['../a', 'a/../../b', 'a/..', '..', '.', './a', '/etc/passwd', '//a', 'a//b', 'a/'],
  ...['%2e%2e/a', 'a/%2E%2e/b', '%2e%2e%2fa', '..%2f..%2fetc%2fpasswd', '%2fetc%2fpasswd', '%2Fa'],
  ...['%252e%252e/a', '%25252e%25252e%25252fa', 'a%00', '%00', 'a%2500', '..%5ca', '..%255ca', '%5c..%5ca', 'a%0ab'],
  ...['', 'a'.repeat(901)],
])
  t.test(`the key ${key.slice(0, 40) || '(empty)'} is refused, for reading and writing`, async t => {
    for (const method of ['GET', 'PUT']) {
      // Sent on a plain socket, because an HTTP client would normalise the path.
      const client = await rawClient(t, server)
      const headers = { authorization: `Bearer ${OPERATOR_TOKEN}`, connection: 'close', 'content-length': 0 }
      client.send(head(method, `/storage/buckets/primary/objects/${key}`, headers))
      t.match(await client.closed, /^HTTP\/1.1 400 .*"error":"bad_request"/s)
    }
  })

t.test('the bucket in the path cannot lead anywhere either', async t => {
  for (const bucket of ['..', '%2e%2e', 'primary%2f..', '%252e%252e', 'nobody', '', '__proto__', 'constructor']) {
    const client = await rawClient(t, server)
    const headers = { authorization: `Bearer ${OPERATOR_TOKEN}`, connection: 'close' }
    client.send(head('GET', `/storage/buckets/${bucket}/objects/a`, headers))
    t.match(await client.closed, /^HTTP\/1.1 404 /, bucket)
  }
})

t.test('an object that is too large is refused and not stored, with or without a declared length', async t => {
  const path = '/storage/buckets/primary/objects/huge'
  t.match(await ask('PUT', path, new Uint8Array(3_000_001)), { status: 413, body: { error: 'body_too_large' } })
  const client = await rawClient(t, server)
  const chunked = { authorization: `Bearer ${OPERATOR_TOKEN}`, 'transfer-encoding': 'chunked' }
  client.send(head('PUT', path, chunked))
  for (let sent = 0; sent <= 3_000_000; sent += 1_000_000)
    client.send(`${(1_000_000).toString(16)}\r\n${'x'.repeat(1_000_000)}\r\n`)
  await client.untilReceived(/^HTTP\/1.1 413 /)
  t.equal((await ask('GET', path)).status, 404)
  const packed = await ask('PUT', path, BODY, { 'content-encoding': 'gzip' })
  t.equal(packed.status, 415)
})

t.test('an unknown bucket is answered before a byte of the body is sent', async t => {
  const client = await rawClient(t, server)
  const headers = { authorization: `Bearer ${OPERATOR_TOKEN}`, expect: '100-continue', 'content-length': 1_000_000 }
  client.send(head('PUT', '/storage/buckets/nobody/objects/a', headers))
  await client.untilReceived(/"not_found"/)
  t.match(client.received(), /^HTTP\/1.1 404 /)
})

t.test('the token of writers, none, or a wrong one is refused before a byte of the body is sent', async t => {
  for (const authorization of ['', `Bearer ${TOKEN}`, `Bearer ${OPERATOR_TOKEN}x`, `bearer ${OPERATOR_TOKEN}`])
    for (const [method, path] of [
      ['PUT', '/storage/buckets/primary/objects/a'],
      ['POST', '/storage/buckets'],
    ] as const) {
      const client = await rawClient(t, server)
      const headers = { authorization, expect: '100-continue', 'content-length': 1_000_000, ...JSON_TYPE }
      client.send(head(method, path, headers))
      await client.untilReceived(/"unauthorized"/)
      t.match(client.received(), /^HTTP\/1.1 401 /)
    }
})

t.test('another method says which there are', async t => {
  const answer = await ask('PATCH', '/storage/buckets')
  t.match(answer, { status: 405, body: { error: 'method_not_allowed' } })
  t.equal(answer.headers.get('allow'), 'GET, HEAD, POST')
})

function headersOf(headers: Headers): object {
  return Object.fromEntries(['asked', 'answered', 'rescued'].map(name => [name, headers.get(`x-bucket-${name}`)]))
}
