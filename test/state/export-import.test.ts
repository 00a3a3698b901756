import t from 'tap'
import { chunkReader } from '../../src/source/byte-reader.js'
import { lineBlocks, type LineBlock } from '../../src/source/lines.js'
import { exportLines, importLines } from '../../src/state/export-import.js'
import { memoryStorage } from '../../src/storage/memory.js'
import type { Storage } from '../../src/storage/storage.js'
import { all, datasetsIn, deliverTo, keysOf, makeKnown, stateOn, STORAGES, take, watched } from './fixtures/filled.js'

async function exported(storage: Storage): Promise<string> {
  return (await all(exportLines(storage))).join('')
}

function reading(text: string): () => AsyncIterable<LineBlock> {
  const chunks = async function* (): AsyncGenerator<Buffer> {
    if (text !== '') yield Buffer.from(text)
  }
  return () => lineBlocks(chunkReader(chunks(), () => Promise.resolve()))
}

for (const [name, open] of STORAGES)
  t.test(`a state is copied unchanged from memory into ${name} and works there`, async t => {
    const from = await stateOn(memoryStorage())
    await makeKnown(from, 'one')
    await take(from, ['a', 'Größe\u2028👍'])
    await deliverTo(from, 'one', memoryStorage())
    await take(from, ['b'])
    await from.storage.put('damaged', Buffer.from([0xff, 0x00, 0x0a]))
    await from.storage.put('marked', Buffer.from('\ufeffx'))
    const to = await stateOn(await open(t.testdir({})))
    const keys = await keysOf(from.storage)
    t.equal(await importLines(to.storage, reading(await exported(from.storage)), 'f'), keys.length)
    t.same(await keysOf(to.storage), keys)
    for (const key of keys) t.same(await to.storage.get(key), await from.storage.get(key), key)
    const one = memoryStorage()
    t.equal(await deliverTo(to, 'one', one), undefined)
    t.match(await keysOf(one), [/-0{15}3\.jsonl\.gz$/])
    t.same(await datasetsIn(to), ['a', 'Größe\u2028👍', 'b'])
  })

t.test('an import into a storage that is not empty writes nothing', async t => {
  const to = memoryStorage()
  await to.put('x', Buffer.from('y'))
  const text = await exported(memoryStorage())
  await t.rejects(importLines(to, reading(text), 'f'), { code: 'usage', message: /already holds a state: it has x/ })
})

t.test('an export that is truncated anywhere, or another file, imports nothing', async t => {
  const from = memoryStorage()
  for (const key of ['watermarks/x', 'outbox/y']) await from.put(key, Buffer.from(key))
  const text = await exported(from)
  const [first = '', second = '', end = ''] = text.split('\n')
  const texts = [
    ...Array.from({ length: text.length - 1 }, (_, bytes) => text.slice(0, bytes)),
    `${text}${first}\n`,
    `${first}\n${first}\n${end}\n`,
    `${first}\n${end}\n`,
    `${first}\n${second.replace('outbox', '..')}\n${end}\n`,
    `${first}\n${second.replace('"body"', '"encoding":"zstd","body"')}\n${end}\n`,
    'null\n',
    '{"objects":1}\n',
  ]
  for (const bad of texts) {
    const to = memoryStorage()
    const outcome = importLines(to, reading(bad), 'f').catch((error: unknown) => error)
    t.match(
      await outcome,
      { code: 'bad_data', message: /^f is not a complete export of a state: / },
      JSON.stringify(bad),
    )
    t.same(await keysOf(to), [])
  }
})

t.test('watermarks are exported before and imported after the outbox', async t => {
  const from = memoryStorage()
  for (const key of ['outbox/a', 'watermarks/b', 'targets/c']) await from.put(key, Buffer.from(key))
  const read: string[] = []
  await exported(watched(from, (operation, key) => void (operation === 'get' && read.push(key))))
  t.equal(read[0], 'watermarks/b')
  const written: string[] = []
  const to = watched(memoryStorage(), (operation, key) => void (operation === 'putIfAbsent' && written.push(key)))
  await importLines(to, reading(await exported(from)), 'f')
  t.equal(written.at(-1), 'watermarks/b')
})
