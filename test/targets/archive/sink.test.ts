import t, { type Test } from 'tap'
import { gunzipSync, gzipSync } from 'node:zlib'
import { archiveIn } from '../../../src/targets/archive/sink.js'
import type { OutboxDelivery, Receipt } from '../../../src/source/delivery.js'
import { memoryStorage } from '../../../src/storage/memory.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { listAll, type Storage } from '../../../src/storage/storage.js'
import { deliveryOf, size } from '../../fixtures/delivery.js'
import { query, SHA } from '../../fixtures/records.js'

const STORAGES: readonly [string, (t: Test) => Promise<Storage>][] = [
  ['memory', async () => memoryStorage()],
  ['a folder', async t => openStorage({ kind: 'local', folder: t.testdir({}) })],
]

const SIZES = `compression_sizes/${SHA}/0000000000000003-0000000000000009.jsonl.gz`
const QUERIES = `query_measurements/${SHA}/0000000000000003-0000000000000009.jsonl.gz`
const RANGE = { since: 3, until: 9 }

async function delivery(lines: readonly (object | string)[], range = RANGE): Promise<OutboxDelivery> {
  return { ...(await deliveryOf(lines)), range }
}

const write = (storage: Storage, what: OutboxDelivery): Promise<Receipt> =>
  archiveIn(storage).write(what, () => undefined)

async function keysOf(storage: Storage): Promise<readonly string[]> {
  const keys: string[] = []
  for await (const { key } of listAll(storage, '')) keys.push(key)
  return keys
}

async function linesAt(storage: Storage, key: string): Promise<string> {
  return gunzipSync((await storage.get(key)) ?? '').toString()
}

for (const [name, open] of STORAGES)
  t.test(`an archive in ${name}`, async t => {
    await t.test('stores each table of a range as one object with unchanged lines', async t => {
      const storage = await open(t)
      const odd = size('a', '9223372036854775807').replace('{', '  { ')
      const receipt = await write(storage, await delivery([odd, query(), '', `${size('b')}\r`, size('Größe 👍')]))
      t.same(await keysOf(storage), [SIZES, QUERIES])
      t.equal(await linesAt(storage, SIZES), `${odd}\n${size('b')}\r\n${size('Größe 👍')}\n`)
      t.equal(await linesAt(storage, QUERIES), `${query()}\n`)
      t.match(receipt, { records: 4, inserted: 4, updated: 0, chunks: 1 })
      t.same(receipt.kinds, [
        { kind: 'compression_size', records: 3, inserted: 3, updated: 0, unchanged: 0 },
        { kind: 'query_measurement', records: 1, inserted: 1, updated: 0, unchanged: 0 },
      ])
    })

    await t.test('is unchanged when a range is delivered again, which counts as updated', async t => {
      const storage = await open(t)
      await write(storage, await delivery([size('a'), query()]))
      const before = await storage.getVersioned(SIZES)
      const receipt = await write(storage, await delivery([size('a'), query()]))
      t.match(receipt, { records: 2, inserted: 0, updated: 2 })
      t.same(await storage.getVersioned(SIZES), before)
    })

    await t.test('is completed by a retry when a delivery stopped between two tables', async t => {
      const storage = await open(t)
      const whole = await delivery([size('a'), query()])
      await write(storage, whole)
      await storage.delete(QUERIES)
      t.match(await write(storage, whole), { inserted: 1, updated: 1 })
      t.same(await keysOf(storage), [SIZES, QUERIES])
    })

    await t.test('recognises equal lines in a differently compressed object', async t => {
      const storage = await open(t)
      await storage.put(SIZES, gzipSync(`${size('a')}\n`, { level: 0 }))
      t.match(await write(storage, await delivery([size('a')])), { updated: 1 })
    })

    await t.test('keeps records that were pruned from the outbox since', async t => {
      const storage = await open(t)
      await write(storage, await delivery([size('a'), size('b')]))
      await write(storage, await delivery([size('b')]))
      t.equal(await linesAt(storage, SIZES), `${size('a')}\n${size('b')}\n`)
    })

    await t.test('refuses to overwrite an object with other records', async t => {
      const storage = await open(t)
      await write(storage, await delivery([size('a')]))
      const refused = { code: 'target_misconfigured', message: /other records/, hint: /its own archive/ }
      await t.rejects(write(storage, await delivery([size('b')])), refused)
      t.equal(await linesAt(storage, SIZES), `${size('a')}\n`)
      await storage.put(SIZES, Buffer.from('torn'))
      await t.rejects(write(storage, await delivery([size('a')])), { message: /not a complete object/ })
    })

    await t.test('writes no object for a range without records and reports it as delivered', async t => {
      const storage = await open(t)
      t.match(await write(storage, await delivery([])), { records: 0, inserted: 0, updated: 0, kinds: [] })
      t.same(await keysOf(storage), [])
    })

    await t.test('writes nothing when the lines differ from the counts', async t => {
      const storage = await open(t)
      const counts = new Map([['compression_size', 2]])
      await t.rejects(write(storage, { ...(await delivery([size('a')])), counts }), { code: 'input_changed' })
      t.same(await keysOf(storage), [])
    })
  })

t.test('equal lines give equal bytes, without a time or an operating system', async t => {
  const [one, other] = [memoryStorage(), memoryStorage()]
  const lines = Array.from({ length: 20_000 }, (_, index) => size(`d${index}`))
  const whole = await delivery(lines)
  await write(one, whole)
  // Blocks with different boundaries, as read from different objects.
  await write(other, {
    ...whole,
    lines: async function* () {
      let firstByte = 0
      for (let from = 0; from < lines.length; from += 7) {
        const bytes = Buffer.from(
          lines
            .slice(from, from + 7)
            .map(line => `${line}\n`)
            .join(''),
        )
        yield { bytes, firstByte, tooLong: false }
        firstByte += bytes.length
      }
    },
  })
  const body = await one.get(SIZES)
  t.same(await other.get(SIZES), body)
  t.same(body?.subarray(4, 8), Buffer.alloc(4))
  t.equal(body?.[9], 255)
})

t.test('keys sort as the numbers do', async t => {
  const storage = memoryStorage()
  for (const [since, until] of [
    [99, 100],
    [9, 10],
    [10, 99],
  ] as const)
    await write(storage, await delivery([size(String(since))], { since, until }))
  t.same(
    (await keysOf(storage)).map(key => Number(key.split('/')[2]?.split('-')[0])),
    [9, 10, 99],
  )
})
