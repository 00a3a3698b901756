import t from 'tap'
import { findChangePoints } from '../../src/analysis/history-changes.js'
import type { AcceptedChange } from '../../src/analysis/accepted-change.js'
import { CONTRACT } from '../../src/contract/kinds.js'
import { groupByCommit, isNewRegression } from '../../src/delivery/found-changes.js'
import { generateHistory } from '../analysis/fixtures/benchmark-history.js'

const COMMITS = 30
const shaAt = (index: number): string => index.toString(16).padStart(40, '0')
const stored = Array.from({ length: COMMITS }, (_, index) => {
  return { sha: shaAt(index), timestamp: '2026-02-01T00:00:00Z', subject: '', author: '' }
})
const shas = stored.map(({ sha }) => sha).toReversed()

const acceptedAt = (commit: number): AcceptedChange => {
  return {
    id: 'one',
    commit: shaAt(commit),
    series: [],
    note: 'known',
    by: 'ann',
    at: '2026-03-01',
    withdrawn: undefined,
  }
}

/** Indexes of the commits with a new regression of two series, of which the second regresses at `commit`. */
function newRegressions(commit: number, accepted: readonly AcceptedChange[]): readonly number[] {
  const planted = [
    { series: 0, commit: 15, factor: 1.5 },
    { series: 1, commit, factor: 1.5 },
  ]
  const history = generateHistory({ series: 20, commits: COMMITS, jobNoise: 0.02, ownNoise: 0.01, planted }, 7)
  const kind = CONTRACT.kinds.find(({ kind }) => kind === 'query_measurement')!
  const series = history.map(({ values }, index) => {
    const dimensions = ['tpch', null, '1', String(index), 'nvme', 'e', 'parquet']
    return { kind, dimensions, values, platforms: Array.from(values, () => 'x86') }
  })
  const found = groupByCommit(findChangePoints(history, 1.02), { shas, stored, series, accepted })
  return found.flatMap(({ commit, changes }) => (changes.some(isNewRegression) ? [stored.indexOf(commit)] : []))
}

t.test('an accepted commit accepts no change of a neighbouring commit', async t => {
  for (const neighbour of [14, 16]) {
    t.strictSame([...newRegressions(neighbour, [])].sort(), [15, neighbour].sort())
    t.strictSame(newRegressions(neighbour, [acceptedAt(15)]), [neighbour])
    t.strictSame(newRegressions(neighbour, [acceptedAt(neighbour)]), [15])
  }
})
