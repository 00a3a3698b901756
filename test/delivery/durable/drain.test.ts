import t from 'tap'
import { recover } from '../../../src/delivery/drain.js'
import { IngestError } from '../../../src/errors.js'
import { headKey } from '../../../src/state/keys.js'
import { listIntents } from '../../../src/state/intent.js'
import { storeLines } from '../../../src/state/lines.js'
import { COMMIT, SHA } from '../../fixtures/records.js'
import { blocksOf, testState, type TestState } from '../../state/fixtures/state.js'
import { codeOf, datasets, down, drained, failing, lineOf, push, target, write } from './fixtures/durable.js'
import { writeFileSync } from 'node:fs'

const OTHER = 'f'.repeat(40)

/** A state with queued records of two commits, none of them delivered. Those of the first commit come from three files. */
async function kept(folder: string): Promise<TestState> {
  const state = testState()
  const dead = target('http://there', { open: down })
  for (const name of ['f', 'g', 'h']) await push(state, [write(folder, name, `${name}1`, `${name}2`)], [dead])
  state.clock.now += 1
  const other = `${folder}/other`
  writeFileSync(other, `${lineOf('o1', OTHER)}\n`)
  await push(state, [other], [dead], { commit: async () => ({ ...COMMIT, sha: OTHER }) })
  return state
}

t.test('gives a target everything it lacks, of every commit, in order', async t => {
  const state = await kept(t.testdir())
  const there = target()
  const { targets, left } = await drained(state, [there])
  t.match(targets, [{ error: undefined, outbox: { queued: 0 } }])
  t.strictSame([...there.rows.keys()], ['f1', 'f2', 'g1', 'g2', 'h1', 'h2', 'o1'])
  t.strictSame(left, [])
  t.strictSame(await listIntents(state.storage), [])
  await drained(state, [there])
  t.equal(there.opened.count, 1, 'and then there is nothing to do')
})

t.test('keeps the records of an unreachable target queued and counts them', async t => {
  const state = await kept(t.testdir())
  const { targets } = await drained(state, [target('http://there', { open: down })])
  t.match(targets, [{ error: { code: 'queued' }, outbox: { queued: 7, delivered: undefined } }])
})

t.test('stops at the number of records it may give, and that is no success while something is left', async t => {
  const state = await kept(t.testdir())
  const there = target()
  // Finishing interrupted deliveries does not count towards the limit: 2 records and 1 record.
  for (const [give, left] of [
    [1, 2],
    [1, 0],
  ] as const) {
    const [outcome] = (await drained(state, [there], { maxRecords: give })).targets
    t.equal(outcome?.outbox?.queued, left)
    t.equal(codeOf(outcome!), left === 0 ? undefined : 'queued')
  }
  t.equal(there.rows.size, 7)
})

t.test('begins nothing after the time it has', async t => {
  const state = await kept(t.testdir())
  const slow = target('http://there', { before: async () => (state.clock.now += 20_000) })
  const [outcome] = (await drained(state, [slow], { maxDurationMs: 10_000 })).targets
  t.ok(slow.given.length < 4)
  t.match(outcome, { error: { code: 'queued' } })
})

t.test('one commit that is refused does not hold the others back', async t => {
  const state = await kept(t.testdir())
  const refusing = target('http://there', {
    before: async ({ commit }) => {
      if (commit.sha === SHA) throw new IngestError('bad_data', 'odd')
    },
  })
  const [outcome] = (await drained(state, [refusing])).targets
  t.match(outcome, { error: { code: 'bad_data' }, outbox: { queued: 6 } })
  t.strictSame([...refusing.rows.keys()], ['o1'])
})

t.test('a dead target is not tried for each commit', async t => {
  const state = await kept(t.testdir())
  let tries = 0
  const dead = target('http://there', { before: () => (tries++, down()) })
  await drained(state, [dead])
  t.equal(tries, 1)
})

t.test('a delivery to a target that is not named is left, and said', async t => {
  const state = await kept(t.testdir())
  const { left } = await drained(state, [target('http://elsewhere')])
  t.match(
    left.map(({ target: name, since, until }) => [name, since, until]),
    [
      ['http://there', 0, 2],
      ['http://there', 0, 1],
    ],
  )
})

t.test('line objects that no head names are deleted, for all commits', async t => {
  const state = await kept(t.testdir())
  await storeLines(state, SHA, blocksOf('left'))
  await storeLines(state, OTHER, blocksOf('left'))
  state.clock.now += 3_600_000
  t.equal((await drained(state, [target()])).swept, 2)
})

t.test('a damaged commit is refused by name', async t => {
  const state = await kept(t.testdir())
  await state.storage.put(headKey(SHA), Buffer.from('{'))
  await t.rejects(drained(state, [target()]), { code: 'state_corrupt', message: new RegExp(`^${headKey(SHA)}`) })
})

t.test('recover', async t => {
  await t.test('delivers exactly the intent of a process that ended, and nothing else', async t => {
    const state = await kept(t.testdir())
    state.clock.now += 60_000
    const there = target()
    const { targets } = await recover({ state, targets: [there] })
    t.match(targets, [{ error: undefined, outbox: { audited: [{ event: 'recovered' }, { event: 'recovered' }] } }])
    t.strictSame(there.given.map(datasets), [['f1', 'f2'], ['o1']])
    t.strictSame(await listIntents(state.storage), [])
    const again = await recover({ state, targets: [there] })
    t.match(again.targets, [{ outbox: { audited: [] } }])
    t.equal(there.given.length, 2)
  })

  await t.test('leaves the intents of running processes alone', async t => {
    const state = await kept(t.testdir())
    const there = target()
    const { targets } = await recover({ state, targets: [there] })
    t.match(targets, [{ error: undefined, outbox: { audited: [] } }])
    t.strictSame(there.given, [])
    t.equal((await listIntents(state.storage)).length, 2)
  })

  await t.test('a target that is still dead is said, and all stays as it is', async t => {
    const state = await kept(t.testdir())
    state.clock.now += 60_000
    const { targets } = await recover({ state, targets: [target('http://there', { open: failing(9) })] })
    t.strictSame(targets.map(codeOf), ['queued'])
    t.equal((await listIntents(state.storage)).length, 2)
  })
})
