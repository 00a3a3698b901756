import t from 'tap'
import { audit } from '../../src/state/audit.js'
import { auditKey, headKey, intentKey, targetKey, watermarkKey, newId } from '../../src/state/keys.js'
import { putIntent } from '../../src/state/intent.js'
import { acquireLease } from '../../src/state/lease.js'
import { appendToOutbox } from '../../src/state/outbox.js'
import { summarizeState } from '../../src/state/state-summary.js'
import { addTarget } from '../../src/state/targets.js'
import { recordTarget } from '../../src/state/target-record.js'
import { COMMIT, SHA } from '../fixtures/records.js'
import { ofFile, ORIGIN, testState, type TestState } from './fixtures/state.js'

const OTHER = 'f'.repeat(40)
const [A, B] = ['http://a', 'http://b']

/** Two commits with 3 and 1 records. Target `a` has the first commit, `b` has nothing and an open intent. */
async function sample(): Promise<TestState> {
  const state = testState()
  for (const id of [A, B]) await recordTarget(state, { id, kind: 'server', description: id })
  await appendToOutbox(state, { additions: [ofFile('f', '1', '2', '3')], origin: ORIGIN })
  state.clock.now += 60_000
  await appendToOutbox(state, {
    additions: [ofFile('f', '4')],
    origin: { ...ORIGIN, commit: { ...COMMIT, sha: OTHER } },
  })
  await (await acquireLease(state, { target: A, partition: SHA }, { waitMs: 0 })).release(3)
  const lease = await acquireLease(state, { target: B, partition: SHA }, { waitMs: 0 })
  await putIntent(state, lease, { since: 0, until: 3 })
  await lease.release()
  await audit(state, { id: newId(1), event: 'recovered', target: A, partition: SHA, since: 0, until: 3, detail: 'x' })
  return state
}

t.test('the summary counts records and shows what each target lacks and since when', async t => {
  const found = await summarizeState((await sample()).storage, 5)
  t.match(found, { partitions: 2, records: 4, problems: [], audit: [{ event: 'recovered' }], intents: [{ target: B }] })
  const [a, b] = [A, B].map(id => found.lags.find(({ target }) => target.id === id))
  t.match(a, { records: 1, partitions: 1, oldest: '2026-04-25T00:01:00.000Z' })
  t.match(b, { records: 4, partitions: 2, oldest: '2026-04-25T00:00:00.000Z' })
  t.ok(b!.bytes > a!.bytes && b!.bytes === found.bytes)
})

t.test('a registered target lacks every undelivered record, with or without a record in state', async t => {
  const state = await sample()
  const site = { name: 'site', kind: 'server', address: 'http://c', identity: 'http://c', isRequired: true } as const
  const rest = { bucket: undefined, insecureLocal: false, rolePolicy: undefined, region: undefined }
  await addTarget(state, { ...site, ...rest, secretEnv: undefined })
  const { lags } = await summarizeState(state.storage, 0)
  t.match(
    lags.find(({ target }) => target.id === 'http://c'),
    { records: 4, target: { kind: 'server', description: 'http://c' } },
  )
  t.equal(lags.length, 3)
})

t.test('an empty state has an empty summary', async t => {
  t.strictSame(await summarizeState(testState().storage, 5), {
    ...{ partitions: 0, records: 0, bytes: 0, lags: [], intents: [], audit: [], problems: [] },
    rejected: { sets: 0, lines: 0 },
  })
})

t.test('objects that cannot be read are reported by name, and everything else is shown', async t => {
  const bad = ['{', '{"version":2}']
  for (const body of bad) {
    for (const key of [headKey(SHA), intentKey('x'), targetKey('c'), auditKey('z')]) {
      const { storage } = await sample()
      await storage.put(key, Buffer.from(body))
      const found = await summarizeState(storage, 5)
      t.equal(found.problems.length, 1, key)
      t.match(found.problems[0], new RegExp(`^${key} in memory:`))
      t.equal(found.lags.length, 2, `${key}: both targets are shown`)
      t.equal(found.intents.length, 1, `${key}: the intent is shown`)
      t.equal(found.audit.length, 1, `${key}: the audit row is shown`)
      t.equal(found.partitions, key === headKey(SHA) ? 1 : 2)
    }
  }
})

t.test('a damaged or newer watermark is reported', async t => {
  const { storage } = await sample()
  await storage.put(watermarkKey(SHA, A), Buffer.from('{'))
  await storage.put(watermarkKey(SHA, B), Buffer.from('{"version":2}'))
  const { problems, lags } = await summarizeState(storage, 5)
  t.match([...problems].sort(), [/watermarks.*(damaged|version 2)/, /watermarks.*(damaged|version 2)/])
  t.match(
    problems.find(problem => problem.includes('damaged')),
    /http:\/\/a is sent the whole outbox again/,
  )
  t.equal(lags.find(({ target }) => target.id === A)?.records, 4)
})

t.test('a missing head is reported when a target has a watermark for it', async t => {
  const { storage } = await sample()
  await storage.delete(headKey(SHA))
  t.match((await summarizeState(storage, 5)).problems, [
    new RegExp(`^${headKey(SHA)} in memory: is damaged: the head is missing`),
  ])
  await storage.delete(headKey(OTHER))
  t.equal((await summarizeState(storage, 5)).problems.length, 1, 'of the other nobody can know')
})
