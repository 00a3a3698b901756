import t from 'tap'
import { existsSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { lastAuditRows } from './fixtures/state.js'
import { addBucket, listBuckets, removeBucket } from '../../src/state/buckets.js'
import { discardOrphanedIntents, listIntents, putIntent } from '../../src/state/intent.js'
import { acquireLease } from '../../src/state/lease.js'
import { REGISTRY_KEY } from '../../src/state/keys.js'
import { readRegistry, type RegisteredTarget } from '../../src/state/registry.js'
import { recordTarget, knownTargets } from '../../src/state/target-record.js'
import { addTarget, removeTarget, setRequired } from '../../src/state/targets.js'
import { memoryStorage } from '../../src/storage/memory.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { stateOn } from './fixtures/filled.js'

function target(name: string, fields: Partial<RegisteredTarget> = {}): Omit<RegisteredTarget, 'addedAt'> {
  const none = { secretEnv: undefined, bucket: undefined, rolePolicy: undefined, region: undefined }
  const address = `https://${name}.example.com`
  const own = { name, kind: 'server', address, identity: address, isRequired: true, insecureLocal: false } as const
  return { ...none, ...own, ...fields }
}

t.test('an added target is stored with all its settings', async t => {
  const state = await stateOn(memoryStorage())
  const added = await addTarget(state, target('site', { secretEnv: 'TOKEN', isRequired: false }))
  const { targets } = await readRegistry(state.storage)
  t.strictSame([...targets.values()], [added])
})

t.test('a kind that an earlier version wrote as http is read as server', async t => {
  const state = await stateOn(memoryStorage())
  await addTarget(state, target('site', { kind: 'http' }))
  t.match((await readRegistry(state.storage)).targets.get('site'), {
    kind: 'server',
    address: 'https://site.example.com',
  })
})

t.test('a name or a target id can be registered only once', async t => {
  const state = await stateOn(memoryStorage())
  await addTarget(state, target('site'))
  await t.rejects(addTarget(state, target('site', { identity: 'other' })), { code: 'already_exists' })
  await t.rejects(addTarget(state, target('other', { identity: 'https://site.example.com' })), {
    code: 'already_exists',
    message: 'https://site.example.com is already registered as the target site',
  })
  t.equal((await readRegistry(state.storage)).targets.size, 1)
})

t.test('of concurrent additions of one name exactly one succeeds; other names all succeed', async t => {
  const storage = await openStorage({ kind: 'local', folder: join(t.testdir({}), 'state') })
  const states = await Promise.all(Array.from({ length: 6 }, () => stateOn(storage)))
  const same = await Promise.allSettled(
    states.map((state, index) => addTarget(state, target('one', { identity: `${index}` }))),
  )
  t.equal(same.filter(({ status }) => status === 'fulfilled').length, 1)
  await Promise.all(states.map((state, index) => addTarget(state, target(`other-${index}`))))
  t.equal((await readRegistry(storage)).targets.size, 7)
})

for (const name of ['', 'Site', '-site', 'a b', 'a'.repeat(64), '../x'])
  t.test(`${JSON.stringify(name)} is refused as a name`, async t => {
    const state = await stateOn(memoryStorage())
    await t.rejects(addTarget(state, target(name)), { code: 'usage' })
    await t.rejects(addBucket(state, name, 'memory:'), { code: 'usage' })
  })

t.test('an unknown name fails with not_found', async t => {
  const state = await stateOn(memoryStorage())
  await t.rejects(removeTarget(state, 'site'), { code: 'not_found' })
  await t.rejects(setRequired(state, 'site', true), { code: 'not_found' })
  await t.rejects(removeBucket(state, 'cold'), { code: 'not_found' })
  await t.rejects(addTarget(state, target('keep', { bucket: 'cold' })), { code: 'not_found' })
})

t.test('each change between required and best-effort writes one audit row; a repeated setting writes none', async t => {
  const state = await stateOn(memoryStorage())
  await addTarget(state, target('db', { isRequired: false }))
  t.equal(await setRequired(state, 'db', true), true)
  t.equal(await setRequired(state, 'db', true), false)
  t.equal((await readRegistry(state.storage)).targets.get('db')?.isRequired, true)
  t.equal(await setRequired(state, 'db', false), true)
  const events = (await lastAuditRows(state.storage, 10)).map(({ event }) => event)
  t.same(events.sort(), ['best-effort', 'required'])
})

t.test('a removed target blocks nothing, and its intents are discarded with one audit row', async t => {
  let now = Date.now()
  const state = await stateOn(memoryStorage(), () => now)
  const { identity } = await addTarget(state, target('site'))
  await recordTarget(state, { id: identity, kind: 'server', description: 'site' })
  const lease = await acquireLease(state, { target: identity, partition: 'p' }, { waitMs: 0 })
  await putIntent(state, lease, { since: 0, until: 3 })
  await lease.release()
  t.equal(await removeTarget(state, 'site'), identity)
  t.same(await knownTargets(state.storage), [])
  t.same(await discardOrphanedIntents(state, await listIntents(state.storage)), [], 'its process may still be at work')
  now += 60_000
  t.match(await discardOrphanedIntents(state, await listIntents(state.storage)), [{ event: 'discarded', until: 3 }])
  t.same(await listIntents(state.storage), [])
  t.equal((await lastAuditRows(state.storage, 10)).length, 1)
})

t.test('a target that only flags named can be removed by its id', async t => {
  const state = await stateOn(memoryStorage())
  await recordTarget(state, { id: 'embedded:/x', kind: 'embedded', description: 'x' })
  t.equal(await removeTarget(state, 'embedded:/x'), 'embedded:/x')
  t.same(await knownTargets(state.storage), [])
})

t.test('primary and rescue exist from the start and cannot be removed', async t => {
  const state = await stateOn(memoryStorage())
  t.match(await listBuckets(state), [
    { name: 'primary', isBuiltIn: true },
    { name: 'rescue', isBuiltIn: true },
  ])
  await t.rejects(removeBucket(state, 'primary'), { code: 'protected' })
  await t.rejects(removeBucket(state, 'rescue'), { code: 'protected' })
  await t.rejects(addBucket(state, 'primary', 'memory:'), { code: 'already_exists' })
})

t.test('adding a local bucket creates its folder; an empty root or one inside the state is refused', async t => {
  const folder = t.testdir({})
  const state = await stateOn(await openStorage({ kind: 'local', folder: join(folder, 'state') }))
  await addBucket(state, 'cold', join(folder, 'deep', 'cold'))
  t.ok(existsSync(join(folder, 'deep', 'cold')))
  symlinkSync(join(folder, 'state'), join(folder, 'link'))
  for (const root of ['', '  ', join(folder, 'state', 'inside'), folder, join(folder, 'link', 'inside')])
    await t.rejects(addBucket(state, 'bad', root), { code: 'usage' }, root)
  t.equal((await listBuckets(state)).length, 3)
})

t.test('a bucket in use names its targets and can be removed when none uses it', async t => {
  const state = await stateOn(memoryStorage())
  await addBucket(state, 'cold', 'memory:')
  await addTarget(state, target('keep', { kind: 'archive', bucket: 'cold' }))
  await t.rejects(removeBucket(state, 'cold'), { code: 'in_use', message: 'the bucket cold is in use by keep' })
  await removeTarget(state, 'keep')
  await removeBucket(state, 'cold')
  t.equal((await listBuckets(state)).length, 2)
})

t.test('an invalid name in the stored registry is reported as damage', async t => {
  const storage = memoryStorage()
  await addTarget(await stateOn(storage), target('site'))
  const text = (await storage.get(REGISTRY_KEY))!.toString()
  for (const name of ['a\u001b[2J', '$(id)', '--target', '']) {
    await storage.put(REGISTRY_KEY, Buffer.from(text.replace('"name":"site"', `"name":${JSON.stringify(name)}`)))
    await t.rejects(readRegistry(storage), { code: 'state_corrupt' }, name)
  }
})
