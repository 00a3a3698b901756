/** `state prune`: removes records from the outbox that every target has received. */

import { IngestError } from '../../../errors.js'
import { pruneOutbox as pruneState, type Pruned } from '../../../state/prune.js'
import { count, plural, type Report } from '../../output/report.js'
import type { StateCommandFlags } from './with-state.js'
import { tidy, type Told } from './tidy.js'
import type { StatePruneReport } from '../../../reports/state.js'

export const prune = tidy<Pruned>({
  ageOf,
  work: pruneState,
  document: (common, done): StatePruneReport => ({
    command: 'state prune',
    ...common,
    commits: done.map(commitReport),
  }),
  print,
})

function commitReport({ partition, batches, records, bytes, lost }: Pruned): StatePruneReport['commits'][number] {
  const losses = [...lost].map(([target, missing]) => ({ target, records: missing }))
  return { commit: partition, batches, records, bytes, lost: losses }
}

/**
 * The age in milliseconds from which records are removed although targets lack them; undefined without `--force`.
 * @throws {IngestError} `usage` if only one of `--force` and `--older-than` is given
 */
function ageOf({ force, olderThan }: StateCommandFlags): number | undefined {
  if ((force === true) === (olderThan !== undefined)) return olderThan
  const hint = 'without them goes what every target has; with both, what is older goes as well, whoever lacks it'
  throw new IngestError('usage', '--force and --older-than go together', { hint })
}

function print(report: Report, done: readonly Pruned[], { dryRun, place }: Told): void {
  const sum = (of: (one: Pruned) => number): number => done.reduce((all, one) => all + of(one), 0)
  const records = plural(
    sum(one => one.records),
    'record',
  )
  const bytes = plural(
    sum(one => one.bytes),
    'byte',
  )
  const what = `${records} of ${plural(done.length, 'commit')} (${bytes})`
  report.verdict(true, dryRun ? 'would remove' : 'removed', `${what} from ${place}`)
  for (const { partition, records, lost } of done) {
    report.result(`  ${partition.slice(0, 7)}: ${plural(records, 'record')}`)
    for (const [target, missing] of lost)
      report.warning(`${target} ${dryRun ? 'would lose' : 'loses'} ${count(missing)} of them`)
  }
}
