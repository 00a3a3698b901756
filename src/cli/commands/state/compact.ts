/** `state compact`: merges the small objects of the outbox. */

import { compactOutbox as compactState, type Compacted } from '../../../state/compact.js'
import { plural } from '../../output/report.js'
import { tidy } from './tidy.js'
import type { StateCompactReport } from '../../../reports/state.js'

export const compact = tidy<Compacted>({
  work: compactState,
  document: (common, done): StateCompactReport => ({
    command: 'state compact',
    ...common,
    commits: done.map(commitReport),
  }),
  print: (report, done, { dryRun, place }) => {
    report.verdict(true, dryRun ? 'would compact' : 'compacted', `${plural(done.length, 'commit')} in ${place}`)
    for (const { partition, objectsBefore, objectsAfter } of done)
      report.result(`  ${partition.slice(0, 7)}: ${plural(objectsBefore, 'object')} to ${objectsAfter}`)
  },
})

function commitReport(one: Compacted): StateCompactReport['commits'][number] {
  return {
    commit: one.partition,
    batches_before: one.batchesBefore,
    batches_after: one.batchesAfter,
    objects_before: one.objectsBefore,
    objects_after: one.objectsAfter,
    bytes: one.bytes,
  }
}
