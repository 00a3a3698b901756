import t from 'tap'
import { championOf, EPSILON, propose, seeded, type History } from '../../../src/delivery/tuning/propose.js'
import { effectiveSettings, type WriteSettings } from '../../../src/database/tunables.js'
import { settingsKey, type Trial } from '../../../src/state/trial.js'
import { DEFAULTS, LARGE, trialOf } from './fixtures/trials.js'
import { POSTGRES } from '../../../src/targets/postgres/kind.js'

const { tunables } = POSTGRES
const ALL = tunables.reduce((product, { values }) => product * values.length, 1)

function history(trials: readonly Trial[], more: Partial<History> = {}): History {
  return { tunables, trials, active: DEFAULTS, sample: LARGE, ...more }
}

/** Proposes settings until there are none left. Every trial loses unless `wins` returns true for its settings. */
function exhausted(more: Partial<History> = {}, wins: (settings: WriteSettings) => boolean = () => false): Trial[] {
  const trials: Trial[] = []
  for (;;) {
    const before = history(trials, more)
    const settings = propose(before)
    if (settings === undefined) return trials
    const { sample } = before
    trials.push(trialOf({ settings, champion: championOf(before), won: wins(settings), sample }))
  }
}

t.test('the first trials are the bounds of each setting by itself', t => {
  const first = exhausted().slice(0, 4)
  t.strictSame(
    first.map(({ settings }) => settings),
    [
      { ...DEFAULTS, 'copy-bytes': 256 * 1024 },
      { ...DEFAULTS, 'copy-bytes': 16 * 1024 * 1024 },
      // Half a million records use staging tables whatever the value of small-rows.
      { ...DEFAULTS, 'work-mem-mib': 4 },
      { ...DEFAULTS, 'work-mem-mib': 256 },
    ],
  )
  t.end()
})

t.test('the same history proposes the same', t => {
  t.strictSame(exhausted(), exhausted())
  t.end()
})

t.test('every setting that makes a difference is proposed once, and the active settings never', t => {
  const keys = exhausted().map(({ settings }) => settingsKey(settings))
  t.equal(new Set(keys).size, keys.length)
  t.notOk(keys.includes(settingsKey(DEFAULTS)))
  const effects = new Set(exhausted().map(({ settings }) => settingsKey(effectiveSettings(settings, LARGE))))
  t.equal(effects.size, keys.length, 'each trial does something else')
  t.equal(effects.size, ALL / tunables[1]!.values.length - 1)
  t.end()
})

t.test('settings with the same effect on the sample are not tried', t => {
  const small = { records: 300, bytes: 100_000 }
  const settings = exhausted({ sample: small }).map(trial => trial.settings)
  // On the pipelined path nothing can be tuned, and it is active. With staging tables, the sort memory can be tuned.
  t.equal(settings.length, tunables[2]!.values.length)
  t.ok(settings.every(one => one['small-rows'] === 0))
  t.end()
})

t.test('the champion is the last winner, or the active settings', t => {
  const [one, two, three] = [1, 2, 3].map(megabytes => ({ ...DEFAULTS, 'copy-bytes': megabytes * 1024 * 1024 }))
  t.strictSame(championOf(history([])), DEFAULTS)
  t.strictSame(championOf(history([trialOf({ settings: one! })])), DEFAULTS)
  const won = [
    trialOf({ settings: one!, won: true }),
    trialOf({ settings: two!, won: true }),
    trialOf({ settings: three! }),
  ]
  t.strictSame(championOf(history(won)), two)
  t.end()
})

t.test('after the bounds about three in four trials are neighbours of the champion', t => {
  const trials = exhausted().slice(4, 24)
  const steps = trials.map(({ settings }) => tunables.filter(({ name }) => settings[name] !== DEFAULTS[name]).length)
  const near = trials.filter((_, index) => steps[index] === 1)
  t.ok(near.length > 3, 'neighbours come first')
  const draws = Array.from({ length: 1_000 }, (_, count) => seeded(count)())
  const explored = draws.filter(draw => draw < EPSILON).length
  t.ok(explored > 200 && explored < 300, `${explored} of 1,000`)
  t.end()
})

t.test('the next trials are near the last winner', t => {
  const best = { 'copy-bytes': 16 * 1024 * 1024, 'small-rows': 0, 'work-mem-mib': 256 }
  const score = (settings: WriteSettings): number =>
    tunables.filter(({ name }) => settings[name] === best[name as keyof typeof best]).length
  let reached = 0
  const trials = exhausted({}, settings => {
    if (score(settings) <= reached) return false
    reached = score(settings)
    return true
  })
  t.equal(trials.find(({ settings, result }) => result?.won && score(settings) >= 2) === undefined, false)
  t.end()
})
