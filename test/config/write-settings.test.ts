import t from 'tap'
import { writeSettings, type WriteSettingFlags } from '../../src/config/write-settings.js'
import { areWithin, effectiveSettings, TUNABLES, type Tunable } from '../../src/database/tunables.js'
import type { Promotion } from '../../src/state/promotions.js'

const promotion: Promotion = {
  ...{ id: '01', at: '2026-01-31T12:00:00.000Z', by: 'ada', note: undefined, trial: '0123456789ab' },
  ...{ settings: { 'copy-bytes': 1024 * 1024, 'small-rows': 0, 'work-mem-mib': 16 }, rolledBack: undefined },
}
const given = (flags: WriteSettingFlags, origins: readonly (readonly [string, string])[] = []) => {
  return { flags, origins: new Map(origins) }
}

t.test('a flag overrides a promotion, which overrides the default; each setting names its origin', t => {
  const flags = given({ smallRows: 7, workMemMib: 5 }, [
    ['smallRows', '--small-rows'],
    ['workMemMib', 'VORTEX_INGEST_WORK_MEM_MIB'],
  ])
  t.strictSame(writeSettings('postgres', flags, promotion), [
    { name: 'copy-bytes', value: 1024 * 1024, origin: 'promoted', trial: '0123456789ab' },
    { name: 'small-rows', value: 7, origin: '--small-rows' },
    { name: 'work-mem-mib', value: 5, origin: 'VORTEX_INGEST_WORK_MEM_MIB' },
  ])
  t.match(writeSettings('postgres', given({}), undefined), [
    { value: 4 * 1024 * 1024, origin: 'default' },
    { value: 5_000, origin: 'default' },
    { value: 64, origin: 'default' },
  ])
  t.end()
})

t.test('a server has its own, and an archive none', t => {
  const flags = given({ compress: 'auto', maxEnvelopeBytes: 9 }, [
    ['compress', '--compress'],
    ['maxEnvelopeBytes', '--max-envelope-bytes'],
  ])
  t.strictSame(writeSettings('server', flags, undefined), [
    { name: 'max-envelope-bytes', value: 9, origin: '--max-envelope-bytes' },
    { name: 'gzip-level', value: 1, origin: '--compress' },
  ])
  t.strictSame(writeSettings('archive', flags, undefined), [])
  t.end()
})

t.test('promoted settings that this version does not have, or not so, are refused and not guessed at', t => {
  for (const settings of [
    { ...promotion.settings, more: 1 },
    { 'small-rows': 0 },
    { ...promotion.settings, 'work-mem-mib': 9_999 },
  ])
    t.throws(() => writeSettings('postgres', given({}), { ...promotion, settings }), { code: 'state_version' })
  t.end()
})

for (const [kind, tunables] of Object.entries<readonly Tunable[]>(TUNABLES))
  t.test(`of ${kind} each default is one of the values, which ascend, and all settings have other names`, t => {
    for (const { values, default: value } of tunables) {
      t.ok(values.includes(value))
      t.strictSame(
        [...values].sort((one, other) => one - other),
        values,
      )
    }
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
