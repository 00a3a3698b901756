import t from 'tap'
import { runMeta } from '../../src/commit/ci.js'
import { SCHEMA_VERSION } from '../../src/contract/kinds.js'

const now = () => new Date(Date.UTC(2026, 0, 31, 12, 0, 0, 7))

t.test('a run carries the contract version and the moment it started', async t => {
  t.strictSame(runMeta({ benchmarkId: 'nightly', now }), {
    benchmark_id: 'nightly',
    schema_version: SCHEMA_VERSION,
    started_at: '2026-01-31T12:00:00.007Z',
  })
})

t.test('a benchmark id of the user takes precedence over CI, and CI over the default', async t => {
  const ci = { name: 'GitHub Actions', benchmarkId: 'bench.yml@1' } as const

  t.equal(runMeta({ benchmarkId: 'mine', ci, now }).benchmark_id, 'mine')
  t.equal(runMeta({ ci, now }).benchmark_id, 'bench.yml@1')
  t.equal(runMeta({ ci: { name: 'unknown CI' }, now }).benchmark_id, 'unknown CI')
  t.equal(runMeta({ now }).benchmark_id, 'local')
})
