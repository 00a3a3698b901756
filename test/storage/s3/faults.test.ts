import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { openS3Storage } from '../../../src/storage/s3/s3.js'
import type { S3Address } from '../../../src/storage/address.js'
import { startHttpServer } from '../../fixtures/http-server.js'
import { listen } from '../../fixtures/listen.js'
import { AWS_ENVIRONMENT, findMoto, NO_MOTO, startMoto } from '../../fixtures/moto.js'
import { startTcpProxy } from '../../fixtures/tcp-proxy.js'

Object.assign(process.env, AWS_ENVIRONMENT)
const BODY = Buffer.from('body')
const OTHER = Buffer.from('other')
const ADDRESS: Omit<S3Address, 'endpoint' | 'bucket'> = {
  kind: 's3',
  prefix: 'p',
  region: 'us-east-1',
  pathStyle: true,
}

const python = await findMoto()
const moto = python === undefined ? undefined : await startMoto(t, python)
const skip = moto === undefined ? NO_MOTO : false

t.test('a write whose response is lost takes effect once, and its writer succeeds', { skip }, async t => {
  const { proxy, storage } = await lossy(t)
  proxy.cutAfter(0, 'down')
  const made = await storage.putIfAbsent('a', BODY)
  t.strictSame(await storage.getVersioned('a'), { body: BODY, version: made }, 'putIfAbsent')

  proxy.cutAfter(0, 'down')
  const changed = await storage.putIfMatch('a', OTHER, made!)
  t.strictSame(await storage.getVersioned('a'), { body: OTHER, version: changed }, 'putIfMatch')

  proxy.cutAfter(0, 'down')
  const put = await storage.put('a', BODY)
  t.strictSame(await storage.getVersioned('a'), { body: BODY, version: put }, 'put')
})

t.test('a write that did not arrive is retried, and loses to a write in between', { skip }, async t => {
  const { proxy, storage, straight } = await lossy(t)
  proxy.cutAfter(300, 'up')
  t.not(await storage.putIfAbsent('a', BODY), undefined)

  const version = await straight.put('b', BODY)
  proxy.cutAfter(300, 'up')
  const late = storage.putIfMatch('b', Buffer.alloc(100_000), version)
  await straight.put('b', OTHER)
  await t.rejects(late, { code: 'state_conflict' })
  t.strictSame(await straight.get('b'), OTHER)
})

t.test('an interrupted response is retried', { skip }, async t => {
  const { proxy, storage } = await lossy(t)
  const large = Buffer.alloc(1_000_000, 'x')
  await storage.put('large', large)
  proxy.cutAfter(200_000, 'down')
  t.ok((await storage.get('large'))?.equals(large))
  proxy.cutAfter(0, 'down')
  t.strictSame((await storage.list('')).objects, [{ key: 'large', bytes: large.length }])
  proxy.cutAfter(0, 'down')
  await storage.delete('large')
  t.equal(await storage.get('large'), undefined)
})

t.test('an object that another program wrote is refused, named and not changed', { skip }, async t => {
  const { storage, bucket } = await lossy(t)
  const foreign: Record<string, [string, string, RegExp]> = {
    text: ['hello', 'state_corrupt', /p\/text was not written by vortex-ingest/],
    empty: ['', 'state_corrupt', /not written by vortex-ingest/],
    newer: ['vortex-ingest object 2 whatever', 'state_version', /p\/newer has layout 2/],
    short: [`vortex-ingest object 1 ${'0'.repeat(32)} 000000000009\nbod`, 'state_corrupt', /has 3 of its 9 bytes/],
  }
  for (const [key, [Body, code, message]] of Object.entries(foreign)) {
    await moto!.client.send(new PutObjectCommand({ Bucket: bucket, Key: `p/${key}`, Body }))
    await t.rejects(storage.get(key), { code, message })
    const { Body: left } = await moto!.client.send(new GetObjectCommand({ Bucket: bucket, Key: `p/${key}` }))
    t.equal(await left?.transformToString(), Body)
  }
})

t.test('sibling prefixes and folder markers of consoles are not listed', { skip }, async t => {
  const { storage, bucket } = await lossy(t)
  await storage.put('a', BODY)
  for (const Key of ['p/', 'p', 'p2/a', 'p/folder/', 'q'])
    await moto!.client.send(new PutObjectCommand({ Bucket: bucket, Key }))
  t.strictSame((await storage.list('')).objects, [{ key: 'a', bytes: 4 }])
})

t.test('a missing bucket is reported', { skip }, async t => {
  const storage = openS3Storage({ ...ADDRESS, bucket: 'nowhere', endpoint: moto!.endpoint })
  const missing = { code: 'storage_failed', message: 's3://nowhere/p: the bucket does not exist', hint: /create it/ }
  await t.rejects(storage.get('a'), missing)
  await t.rejects(storage.put('a', BODY), missing)
  await t.rejects(storage.list(''), missing)
  await storage.close()
})

t.test('a store that ignores conditions is refused before a write counts as successful', async t => {
  const { url } = await startHttpServer(t, {
    answer: () => response => response.writeHead(200, { etag: '"always"' }).end(),
  })
  const storage = openS3Storage({ ...ADDRESS, bucket: 'bucket', endpoint: url })
  await t.rejects(storage.putIfAbsent('a', BODY), { code: 'storage_failed', message: /ignores conditions/ })
  await storage.close()
})

t.test('denials name the required permissions and are not retried', async t => {
  for (const [code, status, message] of [
    ['AccessDenied', 403, /access denied/],
    ['ExpiredToken', 400, /credentials are refused \(ExpiredToken\)/],
    ['InvalidAccessKeyId', 403, /credentials are refused/],
  ] as const) {
    const server = await startHttpServer(t, { answer: () => response => answerError(response, status, code) })
    const storage = openS3Storage({ ...ADDRESS, bucket: 'bucket', endpoint: server.url })
    await t.rejects(storage.get('a'), { code: 'storage_denied', message, hint: String }, code)
    await t.rejects(storage.putIfAbsent('a', BODY), { code: 'storage_denied' })
    t.equal(server.asked.length, 2)
    await storage.close()
  }
})

t.test('server errors and conflicts of the store are retried', async t => {
  let asked = 0
  const { url } = await startHttpServer(t, {
    answer:
      (_, { method }) =>
      response => {
        if (method === 'HEAD') return response.writeHead(404).end()
        if (asked++ === 0) return answerError(response, 503, 'SlowDown')
        if (asked === 2) return answerError(response, 409, 'ConditionalRequestConflict')
        return response.writeHead(200, { etag: '"one"' }).end()
      },
  })
  const storage = openS3Storage({ ...ADDRESS, bucket: 'bucket', endpoint: url })
  t.equal(await storage.put('a', BODY), '"one"')
  t.equal(asked, 3)
  await storage.close()
})

t.test('an unreachable endpoint is reported within seconds', async t => {
  const storage = openS3Storage({ ...ADDRESS, bucket: 'bucket', endpoint: 'http://127.0.0.1:9' })
  const started = performance.now()
  await t.rejects(storage.get('a'), { code: 'storage_failed', message: /cannot be reached: .*ECONNREFUSED/ })
  t.ok(performance.now() - started < 10_000)
  await storage.close()
})

t.test('missing credentials and a missing region are reported', async t => {
  const saved = { ...process.env }
  t.teardown(() => Object.assign(process.env, saved))
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_REGION']) delete process.env[name]
  Object.assign(process.env, { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' })

  const strange = openS3Storage({ ...ADDRESS, bucket: 'bucket', endpoint: 'http://127.0.0.1:9' })
  await t.rejects(strange.get('a'), { code: 'storage_denied', message: /no AWS credentials found/ })
  await strange.close()
  const nowhere = openS3Storage({ ...ADDRESS, bucket: 'bucket', region: undefined, endpoint: undefined })
  await t.rejects(nowhere.get('a'), { code: 'storage_failed', message: /no AWS region/, hint: /AWS_REGION/ })
  await nowhere.close()
})

/** A storage behind a proxy that drops chosen messages, and a second storage with a direct connection. */
async function lossy(t: Test) {
  const proxy = await startTcpProxy(t, { port: moto!.port })
  const bucket = await moto!.createBucket()
  const storage = openS3Storage({ ...ADDRESS, bucket, endpoint: `http://127.0.0.1:${proxy.port}` })
  const straight = openS3Storage({ ...ADDRESS, bucket, endpoint: moto!.endpoint })
  t.teardown(() => Promise.all([storage.close(), straight.close()]))
  // Writes once, so that the probe of the new store is not among the dropped messages.
  await storage.putIfAbsent('.probed', BODY)
  await storage.delete('.probed')
  return { proxy, bucket, storage, straight }
}

function answerError(response: import('node:http').ServerResponse, status: number, code: string): unknown {
  return response.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code></Error>`)
}

t.test('an answer that is cut short or not from S3 is one clear line, without internals of the SDK', async t => {
  const head = (status: number, bytes: number): string => `HTTP/1.1 ${status} X\r\ncontent-length: ${bytes}\r\n\r\n`
  const cut = '<?xml version="1.0"?><ListBucketResult><Name>bucket</Name><Conte'
  const closed = 'cannot be reached: the connection was closed before the whole answer arrived'
  for (const [answer, message] of [
    [head(200, 500) + cut, closed],
    [head(200, cut.length) + cut, 'answered 200, but the answer cannot be read: it was cut short, or is not from S3'],
    [head(503, 500) + '<?xml version="1.0"?><Error><Code>Slo', 'answered 503'],
    [head(502, 30) + '<html><body>bad gateway<p><br>', 'answered 502'],
  ] as const) {
    const server = createServer(socket => socket.on('error', () => undefined).once('data', () => socket.end(answer)))
    const endpoint = `http://127.0.0.1:${await listen(t, server)}`
    const storage = openS3Storage({ ...ADDRESS, bucket: 'bucket', endpoint })
    await t.rejects(storage.list(''), { code: 'storage_failed', message: `s3://bucket/p: ${message}`, hint: String })
    await storage.close()
  }
})
