import t from 'tap'
import { optionName } from '../../src/config/option.js'
import { TARGET_KINDS, type TargetFlags } from '../../src/targets/kinds.js'
import { POSTGRES } from '../../src/targets/postgres/kind.js'
import { writeSettings } from '../../src/targets/write-settings.js'
import { areWithin, effectiveSettings } from '../../src/database/tunables.js'
import type { Promotion } from '../../src/state/promotions.js'

const promotion: Promotion = {
  ...{ id: '01', at: '2026-01-31T12:00:00.000Z', by: 'ada', note: undefined, trial: '0123456789ab' },
  ...{ settings: { 'copy-bytes': 1024 * 1024, 'small-rows': 0, 'work-mem-mib': 16 }, rolledBack: undefined },
}
const given = (flags: TargetFlags, origins: readonly (readonly [string, string])[] = []) => {
  return { flags, origins: new Map(origins) }
}

t.test('a flag overrides a promotion, which overrides the default; each setting names its origin', t => {
  const flags = given({ smallRows: 7, workMemMib: 5 }, [
    ['smallRows', '--small-rows'],
    ['workMemMib', 'VORTEX_INGEST_WORK_MEM_MIB'],
  ])
  t.strictSame(writeSettings(POSTGRES.tunables, flags, promotion), [
    { name: 'copy-bytes', value: 1024 * 1024, origin: 'promoted', trial: '0123456789ab' },
    { name: 'small-rows', value: 7, origin: '--small-rows' },
    { name: 'work-mem-mib', value: 5, origin: 'VORTEX_INGEST_WORK_MEM_MIB' },
  ])
  t.match(writeSettings(POSTGRES.tunables, given({}), undefined), [
    { value: 4 * 1024 * 1024, origin: 'default' },
    { value: 5_000, origin: 'default' },
    { value: 64, origin: 'default' },
  ])
  t.end()
})

t.test('promoted settings that this version does not have, or not so, are refused and not guessed at', t => {
  for (const settings of [
    { ...promotion.settings, more: 1 },
    { 'small-rows': 0 },
    { ...promotion.settings, 'work-mem-mib': 9_999 },
  ])
    t.throws(() => writeSettings(POSTGRES.tunables, given({}), { ...promotion, settings }), { code: 'state_version' })
  t.end()
})

for (const { kind, tunables, deliveryOptions } of TARGET_KINDS)
  t.test(`each tunable of ${kind} has an option, ascending values, and a default among them`, t => {
    for (const { values, default: value } of tunables) {
      t.ok(values.includes(value))
      t.strictSame(
        [...values].sort((one, other) => one - other),
        values,
      )
    }
    const options = Object.keys(deliveryOptions).map(optionName)
    t.strictSame(
      tunables.filter(({ name }) => !options.includes(name)),
      [],
    )
    t.equal(new Set(tunables.map(({ name }) => name)).size, tunables.length)
    t.equal(areWithin(tunables, Object.fromEntries(tunables.map(({ name, default: value }) => [name, value]))), true)
    t.end()
  })

t.test('a setting without effect for the number of records is reported', t => {
  const small = { records: 100, bytes: 10_000 }
  const { settings } = promotion
  t.strictSame(
    effectiveSettings({ ...settings, 'small-rows': 100 }, small),
    effectiveSettings({ 'copy-bytes': 9, 'small-rows': 5_000, 'work-mem-mib': 4 }, small),
  )
  t.strictSame(
    effectiveSettings(settings, small),
    effectiveSettings({ ...settings, 'copy-bytes': 10_000, 'small-rows': 99 }, small),
  )
  t.notSame(effectiveSettings(settings, small), effectiveSettings({ ...settings, 'work-mem-mib': 4 }, small))
  t.end()
})
