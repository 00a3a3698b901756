/** Bucket storage holds exactly the bodies that were written, because other programs read them. */

import t, { type Test } from 'tap'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openBucketStorage } from '../../src/storage/open-storage.js'
import { listAll } from '../../src/storage/storage.js'
import { findMoto, NO_MOTO, startMoto } from '../fixtures/moto.js'

const KEY = 'query_measurements/0123/0-9.jsonl.gz'
const BODY = Buffer.from([0x1f, 0x8b, 0, 10, 255])

async function holdsWhatWasPut(t: Test, address: Parameters<typeof openBucketStorage>[0]): Promise<void> {
  const objects = await openBucketStorage(address)
  t.equal(await objects.get(KEY), undefined)
  await objects.put(KEY, Buffer.from('before'))
  await objects.put(KEY, BODY)
  t.strictSame(await objects.get(KEY), BODY)
  for (const key of ['../x', 'a//b', 'a/../../b', ''])
    await t.rejects(async () => objects.put(key, BODY), { code: 'usage' })
  for (const key of ['b/2', 'b/1', 'b.c', 'bc/1']) await objects.put(key, BODY)
  const keysBelow = async (prefix: string, from = {}): Promise<readonly string[]> => {
    const keys: string[] = []
    for await (const { key, bytes } of listAll(objects, prefix, from)) keys.push(bytes === BODY.length ? key : '')
    return keys
  }
  t.strictSame(await keysBelow(''), ['b.c', 'b/1', 'b/2', 'bc/1', KEY])
  t.strictSame(await keysBelow('', { limit: 1 }), ['b.c', 'b/1', 'b/2', 'bc/1', KEY])
  t.strictSame(await keysBelow('b/'), ['b/1', 'b/2'])
  t.strictSame(await keysBelow('b', { after: 'b/1' }), ['b/2', 'bc/1'])
  t.strictSame(await keysBelow('nothing/'), [])
  await objects.close()
}

t.test('in a folder, objects are files named by their keys, and there are no other files', async t => {
  const folder = `${t.testdir()}/archive`
  await holdsWhatWasPut(t, { kind: 'local', folder })
  t.strictSame(readFileSync(`${folder}/${KEY}`), BODY)
  t.strictSame(readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile()).length, 5)
})

t.test('a folder that cannot be created is a clear error', async t => {
  const folder = `${t.testdir({ file: 'x' })}/file/archive`
  const objects = await openBucketStorage({ kind: 'local', folder })
  await t.rejects(objects.put(KEY, BODY), { code: 'storage_failed', message: /not a folder/ })
})

t.test('reading a FIFO or folder fails at once', { timeout: 10_000 }, async t => {
  const folder = t.testdir({ folder: {} })
  execFileSync('mkfifo', [join(folder, 'fifo')])
  const objects = await openBucketStorage({ kind: 'local', folder })
  for (const key of ['fifo', 'folder'])
    await t.rejects(objects.get(key), { code: 'storage_failed', message: /is not a regular file/ })
})

t.test('in memory', t => holdsWhatWasPut(t, { kind: 'memory' }))

t.test('in S3, objects hold the body alone', async t => {
  const python = await findMoto()
  if (python === undefined) return void t.pass('S3', { skip: NO_MOTO })
  const { createBucket, endpoint, client } = await startMoto(t, python)
  const bucket = await createBucket()
  await holdsWhatWasPut(t, { kind: 's3', bucket, prefix: 'a/b', region: undefined, endpoint, pathStyle: true })
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: `a/b/${KEY}` }))
  t.strictSame(Buffer.from((await Body?.transformToByteArray()) ?? []), BODY)
})
