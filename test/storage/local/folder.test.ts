import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { syncFolder } from '../../../src/storage/local/durable-files.js'
import { openLocalStorage } from '../../../src/storage/local/local.js'

const BODY = Buffer.from('body')
const HOUR_MS = 60 * 60 * 1000

t.test('a key is a folder with one body and one pointer after any number of writes', async t => {
  const { root, storage } = await open(t)
  for (const key of ['a/B c', 'a/é', '.tmp/x']) for (let write = 0; write < 3; write++) await storage.put(key, BODY)

  t.strictSame(readdirSync(root).sort(), ['%2etmp', '.tmp', 'a'])
  t.strictSame(readdirSync(join(root, 'a')).sort(), ['%42%20c=', '%c3%a9='])
  const version = (await storage.getVersioned('a/B c'))?.version
  t.strictSame(readdirSync(join(root, 'a', '%42%20c=')).sort(), [`b-${version}`, `c-${version}`])
  t.strictSame(readdirSync(join(root, '.tmp')), [], 'nothing is left over')
})

t.test('deleting the last key of a folder removes the folder', async t => {
  const { root, storage } = await open(t)
  for (const key of ['a/b/c', 'd/e', 'd/f/g', 'd/f/h']) await storage.put(key, BODY)
  await storage.delete('a/b/c')
  t.strictSame(readdirSync(root).sort(), ['.tmp', 'd'])
  await storage.deletePrefix('d/f/')
  t.strictSame(readdirSync(join(root, 'd')), ['e='])
})

t.test('concurrent writes and deletes in one folder never fail because the folder is missing', async t => {
  const { storage } = await open(t)
  const others = await Promise.all([0, 1, 2].map(() => openLocalStorage(storage.description)))
  await Promise.all(
    [storage, ...others].map(async (own, writer) => {
      for (let round = 0; round < 60; round++) {
        t.type(await own.put(`a/b/${writer}`, BODY), 'string')
        await own.delete(`a/b/${writer}`)
      }
    }),
  )
  t.strictSame((await storage.list('')).objects, [])
})

t.test('a key with a part that is too long for a file name is refused with a reason', async t => {
  const { storage } = await open(t)
  await storage.put('x'.repeat(254), BODY)
  for (const key of ['x'.repeat(255), `a/${'é'.repeat(43)}`, `${'X'.repeat(86)}/b`])
    await t.rejects(storage.put(key, BODY), { code: 'usage', message: /too long for a folder/, hint: /254 bytes/ })
})

t.test('a key with files removed by hand is reported by name and can be deleted', async t => {
  const { root, storage } = await open(t)
  const damage: Record<string, [(folder: string, version: string) => void, RegExp]> = {
    pointer: [(folder, version) => rmSync(join(folder, `c-${version}`)), /pointer= has no pointer file c-…/],
    body: [
      (folder, version) => rmSync(join(folder, `b-${version}`)),
      /body= has the pointer c-\S+ without its body b-\S+/,
    ],
    all: [folder => readdirSync(folder).forEach(name => rmSync(join(folder, name))), /all= has no pointer file c-…/],
    part: [(folder, version) => truncateSync(join(folder, `b-${version}`), 3), /part=\/b-\S+ has 3 of \d+ bytes/],
  }
  for (const [key, [harm, message]] of Object.entries(damage)) {
    const version = await storage.put(key, BODY)
    harm(join(root, `${key}=`), version)
    const refused = { code: 'state_corrupt', message, hint: /delete its folder/ }
    await t.rejects(storage.get(key), refused, key)
    if (key !== 'part') {
      await t.rejects(storage.list(''), refused, `list, ${key}`)
      await t.rejects(storage.put(key, BODY), refused, `put, ${key}`)
    }
    await storage.delete(key)
    t.equal(await storage.get(key), undefined)
    await storage.put(key, BODY)
    await storage.delete(key)
  }
})

t.test('a FIFO in place of a file or folder is reported at once', { timeout: 10_000 }, async t => {
  const { root, storage } = await open(t)
  const sizes = { little: BODY, large: Buffer.alloc(100_000) }
  for (const [key, content] of Object.entries(sizes)) {
    const body = join(root, `${key}=`, `b-${await storage.put(key, content)}`)
    rmSync(body)
    execFileSync('mkfifo', [body])
    await t.rejects(storage.get(key), { code: 'state_corrupt', message: /b-\S+ has 0 of \d+ bytes/ }, key)
  }
  execFileSync('mkfifo', [join(root, 'folder')])
  await t.rejects(storage.put('folder/a', BODY), {
    code: 'storage_failed',
    message: /taken by something that is not a folder/,
  })
  await t.rejects(syncFolder(join(root, 'folder')), { code: 'ENOTDIR' })
})

t.test('list does not read folders outside the requested range', async t => {
  const { root, storage } = await open(t)
  for (const key of ['a/1', 'b/1', 'b/2', 'c/1']) await storage.put(key, BODY)
  // Reading this folder would fail.
  for (const folder of ['a/1=', 'c/1='])
    for (const name of readdirSync(join(root, folder))) rmSync(join(root, folder, name))

  t.strictSame((await storage.list('b/')).objects.length, 2)
  t.strictSame((await storage.list('b')).objects.length, 2)
  t.strictSame((await storage.list('', { after: 'a/1', limit: 1 })).objects, [{ key: 'b/1', bytes: 4 }])
  t.strictSame((await storage.list('a/', { after: 'a/1' })).objects, [])
  await t.rejects(storage.list('', { after: 'a' }), { code: 'state_corrupt' })
})

t.test('a pointer without a body is ignored and removed by the next write', async t => {
  // Such a pointer comes from a rename whose folder was deleted and created again between the lookups of its two paths.
  const { root, storage } = await open(t)
  const version = await storage.put('a', BODY)
  const stray = `${'0'.repeat(24)}-4`
  writeFileSync(join(root, 'a=', `c-${stray}`), '')

  t.strictSame(await storage.getVersioned('a'), { body: BODY, version })
  await t.rejects(storage.putIfMatch('a', BODY, stray), { code: 'state_conflict' })
  const next = await storage.putIfMatch('a', BODY, version)
  t.strictSame(readdirSync(join(root, 'a=')).sort(), [`b-${next}`, `c-${next}`])
})

t.test('a killed writer leaves a body that readers do not see and the next write removes', async t => {
  const { root, storage } = await open(t)
  const version = await storage.put('a', BODY)
  writeFileSync(join(root, 'a=', `b-${'0'.repeat(24)}-9`), 'unfinish')

  t.strictSame(await storage.getVersioned('a'), { body: BODY, version })
  t.strictSame((await storage.list('')).objects, [{ key: 'a', bytes: 4 }])
  const next = await storage.put('a', BODY)
  t.strictSame(readdirSync(join(root, 'a=')).sort(), [`b-${next}`, `c-${next}`])
})

t.test('leftovers of killed processes are swept after an hour, and not before', async t => {
  const { root, storage } = await open(t)
  await storage.put('a', BODY)
  for (const name of ['new-1', 'old-2']) {
    mkdirSync(join(root, '.tmp', name))
    writeFileSync(join(root, '.tmp', name, 'b-1'), 'x')
  }
  t.strictSame(
    (await storage.list('')).objects.map(({ key }) => key),
    ['a'],
    'none of it is listed',
  )
  await openLocalStorage(root, { now: () => Date.now() + HOUR_MS / 2 })
  t.strictSame(readdirSync(join(root, '.tmp')).sort(), ['new-1', 'old-2'])
  await openLocalStorage(root, { now: () => Date.now() + HOUR_MS + 1000 })
  t.strictSame(readdirSync(join(root, '.tmp')), [])
  t.strictSame(await storage.get('a'), BODY)
})

t.test('a root that is a file or below a file is refused on opening', async t => {
  const root = t.testdir({ file: 'x' })
  for (const name of ['file', 'file/below'])
    await t.rejects(openLocalStorage(join(root, name)), {
      code: 'storage_failed',
      message: /taken by something that is not a folder/,
      hint: /another folder/,
    })
})

t.test('a root that is missing or was removed is empty and is created again', async t => {
  const { root, storage } = await open(t)
  t.strictSame(readdirSync(join(root, '..')), [], 'reading makes nothing')
  await storage.put('a', BODY)
  renameSync(root, `${root}-away`)
  t.equal(await storage.get('a'), undefined)
  await storage.put('a', BODY)
  t.strictSame(await storage.get('a'), BODY)
})

t.test("other programs' files beside the keys are left alone", async t => {
  const { root, storage } = await open(t)
  await storage.put('a/b', BODY)
  writeFileSync(join(root, 'README'), 'x')
  writeFileSync(join(root, 'a', 'notes.txt'), 'x')
  mkdirSync(join(root, 'Lost+Found'))
  t.strictSame((await storage.list('')).objects, [{ key: 'a/b', bytes: 4 }])
})

async function open(t: Test) {
  const root = join(t.testdir(), 'root')
  return { root, storage: await openLocalStorage(root) }
}
