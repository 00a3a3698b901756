import t from 'tap'
import { encodeDocument, parseDocument, readDocument, writeDocument } from '../../src/state/document.js'
import { memoryStorage } from '../../src/storage/memory.js'

const parse = { parse: (fields: { text(name: string): string }) => fields.text('name'), storage: memoryStorage() }

t.test('a document is read as it was written', async t => {
  const storage = memoryStorage()
  const stored = await writeDocument(storage, 'k', { fields: { name: 'Zoë' }, over: undefined })
  t.strictSame(await readDocument(storage, 'k', fields => fields.text('name')), { value: 'Zoë', stored })
  t.equal(await readDocument(storage, 'other', fields => fields.text('name')), undefined)
})

t.test('of two concurrent writers of a document, one gets a conflict', async t => {
  const storage = memoryStorage()
  const first = await writeDocument(storage, 'k', { fields: { n: 1 }, over: undefined })
  const lost = { code: 'state_conflict', message: /^k was changed by another process/ }
  await t.rejects(writeDocument(storage, 'k', { fields: { n: 2 }, over: undefined }), lost)
  await writeDocument(storage, 'k', { fields: { n: 3 }, over: first })
  await t.rejects(writeDocument(storage, 'k', { fields: { n: 4 }, over: first }), lost)
  t.equal((await readDocument(storage, 'k', fields => fields.count('n')))?.value, 3)
})

t.test('an object that is not a valid document is reported with its key and storage', async t => {
  const whole = encodeDocument({ name: 'x' }).toString()
  const bodies = [
    '',
    'x',
    'null',
    '[]',
    '7',
    '"x"',
    whole.slice(0, -4),
    '{"name":"x"}',
    '{"version":1}',
    '{"version":1,"name":7}',
  ]
  for (const body of bodies)
    t.throws(
      () => parseDocument(Buffer.from(body), { ...parse, key: 'outbox/x' }),
      { code: 'state_corrupt', message: /^outbox\/x in memory:.* is damaged/, hint: /the object was not changed/ },
      body,
    )
})

t.test('a document of an unsupported version is refused before its content is read', async t => {
  for (const version of [0, 2, 99])
    t.throws(() => parseDocument(Buffer.from(JSON.stringify({ version })), { ...parse, key: 'k' }), {
      code: 'state_version',
      message: `k in memory: has version ${version}; this program supports version 1`,
    })
})
