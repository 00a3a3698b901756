/** The contract of `Storage` (src/storage/storage.ts): one test per promise, run over every backend. */
import type { Test } from 'tap'
import { openStorage } from '../../src/storage/open-storage.js'
import { listAll, type Storage } from '../../src/storage/storage.js'
import type { Backend } from './fixtures/backend.js'

const ODD_KEYS = [
  ...['plain', 'with space', ' lead and trail ', 'dots.in.it', '.hidden', 'a..b', 'trailing.', 'UPPER', 'upper'],
  ...['b-1', 'c-1', 'key=', 'key', '.tmp/new-1', '100%', '%41', 'a+b', 'a&b?c#d', '"quoted"', "it's", 'back\\slash'],
  ...['ü', 'u\u0308', 'ß/ss', '日本/語', '🚀', 'ends with space /x', 'con', '-', '~'],
  Array.from({ length: 9 }, (_, at) => String(at).repeat(99)).join('/'),
]

const BAD_KEYS = [
  '',
  '/',
  'a/',
  '/a',
  'a//b',
  '.',
  '..',
  'a/../b',
  './a',
  'nul\0',
  'tab\t',
  'line\nend',
  'lone\ud800',
  'x'.repeat(901),
]

export function testContract(t: Test, { name, fresh }: Backend): void {
  /** Runs a test with a new storage. */
  const promise = (what: string, test: (t: Test, storage: Storage) => Promise<void>): void => {
    t.test(`${name}: ${what}`, async t => {
      const storage = await openStorage(await fresh(t))
      t.teardown(() => storage.close())
      await test(t, storage)
    })
  }

  promise('every valid key is stored and listed unchanged', async (t, storage) => {
    for (const key of ODD_KEYS) await storage.put(key, Buffer.from(`body of ${key}`))

    for (const key of ODD_KEYS) t.equal(String(await storage.get(key)), `body of ${key}`, JSON.stringify(key))
    t.strictSame(await keysOf(storage), sorted(ODD_KEYS))
  })

  promise('every operation refuses an invalid key', async (t, storage) => {
    const body = Buffer.from('x')
    for (const key of BAD_KEYS) {
      const code = { code: 'usage' }
      await t.rejects(storage.get(key), code, JSON.stringify(key))
      await t.rejects(storage.put(key, body), code)
      await t.rejects(storage.putIfAbsent(key, body), code)
      await t.rejects(storage.putIfMatch(key, body, 'v'), code)
      await t.rejects(storage.delete(key), code)
    }
    for (const prefix of ['', 'a', '../', 'a//'])
      await t.rejects(storage.deletePrefix(prefix), { code: 'usage' }, prefix)
    t.strictSame(await keysOf(storage), [])
  })

  promise('a new storage is empty, and a missing key has no content', async (t, storage) => {
    t.equal(await storage.get('a'), undefined)
    t.equal(await storage.getVersioned('a/b'), undefined)
    for (const prefix of ['', 'a', 'a/', 'a//', '../', 'x'.repeat(950)])
      t.strictSame(await storage.list(prefix), { objects: [], next: undefined }, prefix)
    await storage.delete('a')
    await storage.deletePrefix('a/')
  })

  promise('bodies are stored byte for byte, from empty to several megabytes', async (t, storage) => {
    const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    const bodies = { empty: Buffer.alloc(0), every, large: Buffer.alloc(3_000_000, every) }
    for (const [key, body] of Object.entries(bodies)) await storage.put(key, body)

    for (const [key, body] of Object.entries(bodies)) t.ok((await storage.get(key))?.equals(body), key)
    t.strictSame((await storage.list('')).objects, [
      { key: 'empty', bytes: 0 },
      { key: 'every', bytes: 256 },
      { key: 'large', bytes: 3_000_000 },
    ])
  })

  promise('changing a buffer after a write or a read does not change the stored body', async (t, storage) => {
    const body = Buffer.from('before')
    await storage.put('a', body)
    body.fill('x')
    const read = await storage.get('a')
    read?.fill('y')

    t.equal(String(await storage.get('a')), 'before')
  })

  promise('put creates and replaces, and every write has a new version', async (t, storage) => {
    const versions = []
    for (const text of ['one', 'two', 'one', 'one']) {
      const version = await storage.put('a', Buffer.from(text))
      t.strictSame(await storage.getVersioned('a'), { body: Buffer.from(text), version })
      versions.push(version)
    }
    t.equal(new Set(versions).size, versions.length)
  })

  promise('putIfAbsent writes only when the key does not exist', async (t, storage) => {
    const version = await storage.putIfAbsent('a', Buffer.from('first'))
    t.equal(await storage.putIfAbsent('a', Buffer.from('second')), undefined)
    t.strictSame(await storage.getVersioned('a'), { body: Buffer.from('first'), version })

    await storage.delete('a')
    t.not(await storage.putIfAbsent('a', Buffer.from('third')), undefined)
    t.equal(String(await storage.get('a')), 'third')
  })

  promise('putIfMatch replaces the given version', async (t, storage) => {
    let version = await storage.put('a', Buffer.from('0'))
    for (const text of ['1', '2', '2', '3']) {
      version = await storage.putIfMatch('a', Buffer.from(text), version)
      t.strictSame(await storage.getVersioned('a'), { body: Buffer.from(text), version })
    }
  })

  promise('putIfMatch loses against any other write and changes nothing', async (t, storage) => {
    const past = await storage.put('a', Buffer.from('old'))
    const version = await storage.put('a', Buffer.from('new'))
    for (const wrong of [past, `${version}x`, 'nonsense', '../../a'])
      await t.rejects(storage.putIfMatch('a', Buffer.from('mine'), wrong), { code: 'state_conflict' }, wrong)
    t.strictSame(await storage.getVersioned('a'), { body: Buffer.from('new'), version })

    await t.rejects(storage.putIfMatch('b', Buffer.from('mine'), version), { code: 'state_conflict' })
    t.strictSame(await keysOf(storage), ['a'])
  })

  promise('putIfMatch refuses an old version even when the same content was written again', async (t, storage) => {
    const [one, two] = [Buffer.from('one'), Buffer.from('two')]
    const first = await storage.put('a', one)
    await storage.putIfMatch('a', one, await storage.putIfMatch('a', two, first))
    await t.rejects(storage.putIfMatch('a', two, first), { code: 'state_conflict' }, 'after A B A')

    const before = await storage.put('a', one)
    await storage.delete('a')
    await t.rejects(storage.putIfMatch('a', two, before), { code: 'state_conflict' }, 'after it is deleted')
    await storage.putIfAbsent('a', one)
    await t.rejects(storage.putIfMatch('a', two, before), { code: 'state_conflict' }, 'after it is made again')
    t.equal(String(await storage.get('a')), 'one')
  })

  promise('of concurrent putIfAbsent or putIfMatch calls, one wins', async (t, storage) => {
    const many = Array.from({ length: 12 }, (_, at) => Buffer.from(`writer ${at}`))
    const claims = await Promise.all(many.map(body => storage.putIfAbsent('a', body)))
    t.equal(claims.filter(version => version !== undefined).length, 1)

    const { version } = (await storage.getVersioned('a'))!
    const changes = await Promise.allSettled(many.map(body => storage.putIfMatch('a', body, version)))
    const lost = changes.flatMap(change =>
      change.status === 'rejected' ? [(change.reason as { code: string }).code] : [],
    )
    t.strictSame(lost, Array<string>(many.length - 1).fill('state_conflict'))
    const winner = many[changes.findIndex(({ status }) => status === 'fulfilled')]
    t.strictSame(await storage.get('a'), winner)
  })

  promise('list is in byte order, with the slash as an ordinary byte', async (t, storage) => {
    const keys = [
      'a',
      'a b',
      'a!',
      'a-',
      'a-b/c',
      'a.',
      'a/b',
      'a/b-',
      'a/b/c',
      'a/b0',
      'a0',
      'aa',
      'B',
      'b',
      '\u{ffee}',
      '🚀',
    ]
    for (const key of [...keys].reverse()) await storage.put(key, Buffer.from(key))

    t.strictSame(await keysOf(storage), sorted(keys))
    for (const after of [...keys, '', 'a/', 'a/a', 'a/zzz', 'b/x', '\u{ffff}'])
      t.strictSame(
        await keysOf(storage, '', after),
        sorted(keys).filter(key => order(key, after) > 0),
        `after ${after}`,
      )
    for (const prefix of ['a', 'a/', 'a/b', 'a/b/', 'a-', 'B', 'c'])
      t.strictSame(
        await keysOf(storage, prefix),
        sorted(keys).filter(key => key.startsWith(prefix)),
        `below ${prefix}`,
      )
    t.strictSame(await keysOf(storage, 'a/', 'a/b'), ['a/b-', 'a/b/c', 'a/b0'], 'both')
    t.strictSame(await keysOf(storage, 'a/', 'b'), [], 'after all of them')
  })

  promise('list returns every object once over all pages and marks the last page', async (t, storage) => {
    const keys = Array.from({ length: 7 }, (_, at) => `page/${at % 2 === 0 ? 'even/' : ''}${at}`)
    for (const key of keys) await storage.put(key, Buffer.from(key))
    await storage.put('page2', Buffer.from('a sibling'))

    for (const limit of [1, 2, 3, 6, 7, 8]) {
      const seen = []
      for await (const { key } of listAll(storage, 'page/', { limit })) seen.push(key)
      t.strictSame(seen, sorted(keys), `${limit} a page`)
    }
    const page = await storage.list('page/', { limit: 7 })
    t.equal(page.next, undefined, 'a full page may be the last')
    t.equal((await storage.list('page/', { limit: 6 })).next, page.objects[5]?.key)
  })

  promise('more objects than fit on one page are listed and deleted', async (t, storage) => {
    const keys = Array.from({ length: 1002 }, (_, at) => `many/${String(at).padStart(4, '0')}`)
    for (let at = 0; at < keys.length; at += 10)
      await Promise.all(keys.slice(at, at + 10).map(key => storage.put(key, Buffer.from('x'))))

    const page = await storage.list('many/')
    t.equal(page.objects.length, 1000)
    t.equal(page.next, keys[999])
    t.strictSame(await keysOf(storage, 'many/'), keys)
    await storage.deletePrefix('many/')
    t.strictSame(await keysOf(storage), [])
  })

  promise('delete removes one object and may be repeated', async (t, storage) => {
    for (const key of ['a', 'a/b', 'ab']) await storage.put(key, Buffer.from(key))
    for (let time = 0; time < 2; time++) {
      await storage.delete('a')
      t.equal(await storage.get('a'), undefined)
      t.strictSame(await keysOf(storage), ['a/b', 'ab'])
    }
  })

  promise('deletePrefix removes everything below a prefix and no sibling, and may be repeated', async (t, storage) => {
    for (const key of ['a', 'a/b', 'a/c/d', 'a-b', 'ab/c', 'b/a/c']) await storage.put(key, Buffer.from(key))
    for (let time = 0; time < 2; time++) {
      await storage.deletePrefix('a/')
      t.strictSame(await keysOf(storage), ['a', 'a-b', 'ab/c', 'b/a/c'])
    }
    await storage.put('a/b', Buffer.from('again'))
    t.equal(String(await storage.get('a/b')), 'again')
  })
}

async function keysOf(storage: Storage, prefix = '', after?: string): Promise<string[]> {
  const keys = []
  for await (const { key } of listAll(storage, prefix, { after })) keys.push(key)
  return keys
}

function sorted(keys: readonly string[]): string[] {
  return [...keys].sort(order)
}

function order(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
