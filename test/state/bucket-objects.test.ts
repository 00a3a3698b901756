import t from 'tap'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { redact } from '../../src/redact.js'
import { getObject, putObject } from '../../src/state/bucket-objects.js'
import { addBucket } from '../../src/state/buckets.js'
import { Journal, readJournal } from '../../src/state/journal.js'
import { memoryStorage } from '../../src/storage/memory.js'
import { findMoto, NO_MOTO, startMoto } from '../fixtures/moto.js'
import { stateOn } from './fixtures/filled.js'

const state = await stateOn(memoryStorage())
const journal = new Journal(state, { run: 'test', redact })
const at = (bucket: string, key: string) => ({ bucket, key, journal })
const BODY = Buffer.from([0, 255, 10])

/** @param root a separate location for each test */
function suite(sort: string, root: string): void {
  t.test(`${sort}: an object is read from the bucket it was written to`, async t => {
    const bucket = `own-${sort}`
    if (sort !== 'built in') await addBucket(state, bucket, root)
    const name = sort === 'built in' ? 'primary' : bucket
    await putObject(state, at(name, 'a/b.json'), BODY)
    t.same(await getObject(state, at(name, 'a/b.json')), { body: BODY, asked: name, answered: name, rescued: false })
  })

  t.test(`${sort}: an object that the bucket lacks is read from rescue and reported as rescued`, async t => {
    const name = sort === 'built in' ? 'primary' : `own-${sort}`
    await putObject(state, at('rescue', `of ${sort}`), BODY)
    t.same(await getObject(state, at(name, `of ${sort}`)), {
      body: BODY,
      asked: name,
      answered: 'rescue',
      rescued: true,
    })
    await t.rejects(getObject(state, at(name, 'nowhere')), { code: 'not_found' })
  })
}

const folder = t.testdir({})
suite('built in', '')
suite('local', join(folder, 'local'))
suite('memory', 'memory:')
const python = await findMoto()
if (python === undefined) t.pass('buckets in S3', { skip: NO_MOTO })
else {
  const moto = await startMoto(t, python)
  suite('s3', `s3://${await moto.createBucket()}/some/prefix?endpoint=${moto.endpoint}&path-style=true`)
}

t.test(
  'a bucket that went away: a write fails and lies nowhere, a read is rescued, both are in the journal, and it comes back',
  async t => {
    const root = join(folder, 'gone')
    await addBucket(state, 'gone', root)
    await putObject(state, at('rescue', 'kept'), BODY)
    renameSync(root, `${root} elsewhere`)
    await t.rejects(putObject(state, at('gone', 'new'), BODY), { code: 'storage_failed' })
    await t.rejects(getObject(state, at('rescue', 'new')), { code: 'not_found' })
    t.match(await getObject(state, at('gone', 'kept')), { asked: 'gone', answered: 'rescue', rescued: true })
    await t.rejects(getObject(state, at('gone', 'new')), { code: 'storage_failed' }, 'what rescue misses too')
    await journal.flush()
    const events = await readJournal(state.storage, { name: 'gone', onDamage: message => t.fail(message) })
    t.match(events.map(({ subject, operation, code }) => [subject, operation, code].join(' ')).sort(), [
      'bucket get storage_failed',
      'bucket get storage_failed',
      'bucket put storage_failed',
    ])
    renameSync(`${root} elsewhere`, root)
    await putObject(state, at('gone', 'new'), BODY)
    t.match(await getObject(state, at('gone', 'new')), { answered: 'gone', rescued: false })
  },
)

t.test('reading from or writing to an unknown bucket fails with not_found', async t => {
  await t.rejects(getObject(state, at('nobody', 'a')), { code: 'not_found' })
  await t.rejects(putObject(state, at('nobody', 'a'), BODY), { code: 'not_found' })
})

for (const key of [
  '',
  '/etc/passwd',
  '../a',
  'a/../../b',
  'a//b',
  'a\0b',
  '%2e%2e/a',
  'a/%2E%2e/b',
  '%252e%252e/a',
  '..\\a',
  '%2fa',
  'a%00',
])
  t.test(`the key ${JSON.stringify(key)} is refused`, async t => {
    await t.rejects(putObject(state, at('primary', key), BODY), { code: 'usage' })
    await t.rejects(getObject(state, at('primary', key)), { code: 'usage' })
  })
