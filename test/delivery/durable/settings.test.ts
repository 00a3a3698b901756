import t from 'tap'
import { writeFileSync } from 'node:fs'
import type { SettingsOf, Target } from '../../../src/delivery/target.js'
import type { Sink } from '../../../src/targets/sink.js'
import { promotionsKey } from '../../../src/state/keys.js'
import { promoteTrial } from '../../../src/state/promotions.js'
import type { RegisteredTarget } from '../../../src/state/registry.js'
import { addTarget } from '../../../src/state/targets.js'
import { settingsKey, recordTrial } from '../../../src/state/trial.js'
import { COMMIT } from '../../fixtures/records.js'
import { testState, type TestState } from '../../state/fixtures/state.js'
import { trialOf } from '../tuning/fixtures/trials.js'
import { codeOf, down, drained, lineOf, push, target, write } from './fixtures/durable.js'

const OTHER = 'f'.repeat(40)
const identity = 'http://there'
const none = { secretEnv: undefined, bucket: undefined, rolePolicy: undefined, region: undefined }
const more = { isRequired: true, insecureLocal: false, addedAt: '2026-01-31T12:00:00.000Z', ...none }
const site: RegisteredTarget = { name: 'site', kind: 'http', address: identity, identity, ...more }

/** A state with queued records of two commits, which make two deliveries. */
async function kept(folder: string): Promise<TestState> {
  const state = testState()
  await addTarget(state, site)
  const dead = target(identity, { open: down })
  await push(state, [write(folder, 'one', 'a=1')], [dead])
  writeFileSync(`${folder}/other`, `${lineOf('b=1', OTHER)}\n`)
  await push(state, [`${folder}/other`], [dead], { commit: async () => ({ ...COMMIT, sha: OTHER }) })
  return state
}

const settings: SettingsOf = promotion => [
  { name: 'size', value: promotion?.settings['size'] ?? 2, origin: promotion === undefined ? 'default' : 'promoted' },
]

/**
 * @param seen receives the settings of each delivery
 * @param before called before each delivery is applied
 */
function watching(seen: (string | undefined)[], before: () => Promise<unknown> = async () => undefined): Target {
  const inner = target(identity, { before })
  const open = async (signal: AbortSignal): Promise<Sink> => {
    const sink = await inner.opener.open(signal)
    const write: Sink['write'] = (delivery, onRetry, how) => {
      seen.push(how && settingsKey(how))
      return sink.write(delivery, onRetry)
    }
    return { write, close: () => sink.close() }
  }
  return { ...inner, opener: { ...inner.opener, open }, settings }
}

async function promoteSize(state: TestState, size: number): Promise<unknown> {
  const trial = trialOf({ settings: { size }, target: identity })
  await recordTrial(state, trial)
  return promoteTrial(state, site, { trial: trial.id, by: 'ada' })
}

t.test('a promotion during a drain applies from its next delivery on', async t => {
  const state = await kept(t.testdir())
  const seen: (string | undefined)[] = []
  const there = watching(seen, () => promoteSize(state, 7))
  const { targets } = await drained(state, [{ ...there, name: 'site', registered: { addedAt: '', isRequired: true } }])
  t.strictSame(seen, ['size=2', 'size=7'])
  t.match(targets, [{ error: undefined, settings: [{ value: 7, origin: 'promoted' }] }])
})

t.test('flags override the settings promoted for a target', async t => {
  const state = await kept(t.testdir())
  await promoteSize(state, 7)
  const seen: (string | undefined)[] = []
  await drained(state, [watching(seen)])
  t.strictSame(seen, ['size=2', 'size=2'])
})

t.test('damaged promotions stop the delivery and lose nothing', async t => {
  const state = await kept(t.testdir())
  await state.storage.put(promotionsKey(identity), Buffer.from('{'))
  const seen: (string | undefined)[] = []
  const { targets } = await drained(state, [
    { ...watching(seen), name: 'site', registered: { addedAt: '', isRequired: true } },
  ])
  t.strictSame(targets.map(codeOf), ['state_corrupt'])
  t.match(targets, [{ outbox: { queued: 2 } }])
  t.strictSame(seen, [])
})
