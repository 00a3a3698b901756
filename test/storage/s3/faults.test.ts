import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import t, { type Test } from 'tap'
import { openS3Storage } from '../../../src/storage/s3/s3.js'
import type { S3Address } from '../../../src/storage/address.js'
import { startHttpServer } from '../../fixtures/http-server.js'
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

t.test('a write whose answer is lost has happened once, and its writer knows', { skip }, async t => {
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

t.test('a write that did not arrive is sent again, and loses to what came between', { skip }, async t => {
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

t.test('an answer that breaks off is asked for again', { skip }, async t => {
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

t.test('what nobody here has written is refused by its name, and left', { skip }, async t => {
  const { storage, bucket } = await lossy(t)
  const foreign: Record<string, [string, string, RegExp]> = {
    text: ['hello', 'state_corrupt', /p\/text was not written by vortex-ingest/],
    empty: ['', 'state_corrupt', /not written by vortex-ingest/],
    newer: ['vortex-ingest object 2 whatever', 'state_version', /p\/newer is of layout 2/],
    short: [`vortex-ingest object 1 ${'0'.repeat(32)} 000000000009\nbod`, 'state_corrupt', /has 3 of its 9 bytes/],
  }
  for (const [key, [Body, code, message]] of Object.entries(foreign)) {
    await moto!.client.send(new PutObjectCommand({ Bucket: bucket, Key: `p/${key}`, Body }))
    await t.rejects(storage.get(key), { code, message })
    const { Body: left } = await moto!.client.send(new GetObjectCommand({ Bucket: bucket, Key: `p/${key}` }))
    t.equal(await left?.transformToString(), Body)
  }
})

t.test('a sibling prefix, and folders that consoles make, are not listed', { skip }, async t => {
  const { storage, bucket } = await lossy(t)
  await storage.put('a', BODY)
  for (const Key of ['p/', 'p', 'p2/a', 'p/folder/', 'q'])
    await moto!.client.send(new PutObjectCommand({ Bucket: bucket, Key }))
  t.strictSame((await storage.list('')).objects, [{ key: 'a', bytes: 4 }])
})

t.test('a bucket that is not there is told', { skip }, async t => {
  const storage = openS3Storage({ ...ADDRESS, bucket: 'nowhere', endpoint: moto!.endpoint })
  const missing = { code: 'storage_failed', message: 's3://nowhere/p: there is no such bucket', hint: /make it/ }
  await t.rejects(storage.get('a'), missing)
  await t.rejects(storage.put('a', BODY), missing)
  await t.rejects(storage.list(''), missing)
  await storage.close()
})

t.test('a store that ignores conditions is refused before a win is believed', async t => {
  const { url } = await startHttpServer(t, {
    answer: () => response => response.writeHead(200, { etag: '"always"' }).end(),
  })
  const storage = openS3Storage({ ...ADDRESS, bucket: 'bucket', endpoint: url })
  await t.rejects(storage.putIfAbsent('a', BODY), { code: 'storage_failed', message: /ignores conditions/ })
  await storage.close()
})

t.test('denials are told with what is needed, and not tried again', async t => {
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

t.test('a store that is in trouble, or in a conflict with itself, is asked again', async t => {
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

t.test('an endpoint that nobody listens on is told, within seconds', async t => {
  const storage = openS3Storage({ ...ADDRESS, bucket: 'bucket', endpoint: 'http://127.0.0.1:9' })
  const started = performance.now()
  await t.rejects(storage.get('a'), { code: 'storage_failed', message: /cannot be reached: .*ECONNREFUSED/ })
  t.ok(performance.now() - started < 10_000)
  await storage.close()
})

t.test('no credentials and no region are told as such', async t => {
  const saved = { ...process.env }
  t.teardown(() => Object.assign(process.env, saved))
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_REGION']) delete process.env[name]
  Object.assign(process.env, { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' })

  const strange = openS3Storage({ ...ADDRESS, bucket: 'bucket', endpoint: 'http://127.0.0.1:9' })
  await t.rejects(strange.get('a'), { code: 'storage_denied', message: /AWS has no credentials/ })
  await strange.close()
  const nowhere = openS3Storage({ ...ADDRESS, bucket: 'bucket', region: undefined, endpoint: undefined })
  await t.rejects(nowhere.get('a'), { code: 'storage_failed', message: /no AWS region/, hint: /AWS_REGION/ })
  await nowhere.close()
})

/** A storage whose network loses what it is told to, and one beside it whose network does not. */
async function lossy(t: Test) {
  const proxy = await startTcpProxy(t, { port: moto!.port })
  const bucket = await moto!.createBucket()
  const storage = openS3Storage({ ...ADDRESS, bucket, endpoint: `http://127.0.0.1:${proxy.port}` })
  const straight = openS3Storage({ ...ADDRESS, bucket, endpoint: moto!.endpoint })
  t.teardown(() => Promise.all([storage.close(), straight.close()]))
  // The probe of a new store is not what is lost.
  await storage.putIfAbsent('.probed', BODY)
  await storage.delete('.probed')
  return { proxy, bucket, storage, straight }
}

function answerError(response: import('node:http').ServerResponse, status: number, code: string): unknown {
  return response.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code></Error>`)
}
