/** `state compact`: merges the small objects of an outbox. */

import { requiredStateConfig } from '../../config/state.js'
import { EXIT } from '../../errors.js'
import { compact as compactState, type Compacted, type CompactedOrSkipped } from '../../state/compact.js'
import { plural, type Report } from '../report.js'
import type { StateAction } from './flags.js'
import { withState } from './with-state.js'

export const compact: StateAction = (_, flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async state => {
    const { report, signal } = context
    const dryRun = flags.dryRun === true
    const found: CompactedOrSkipped[] = []
    for await (const one of compactState(state, { dryRun })) {
      signal.throwIfAborted()
      found.push(one)
    }
    const exitCode = found.some(isSkipped) ? EXIT.kept : EXIT.done
    const place = state.storage.description
    if (flags.format === 'json') report.json(compactReport(found, { exitCode, dryRun, place }))
    else print(report, found, { dryRun, place })
    return exitCode
  })

function isSkipped(one: CompactedOrSkipped): one is Exclude<CompactedOrSkipped, Compacted> {
  return 'skipped' in one
}

type Told = { readonly dryRun: boolean; readonly place: string }

function compactReport(
  found: readonly CompactedOrSkipped[],
  { exitCode, dryRun, place }: Told & { readonly exitCode: number },
): object {
  const done = found.flatMap(one => (isSkipped(one) ? [] : [one]))
  return {
    ...{ command: 'state compact', exit_code: exitCode, state: place, dry_run: dryRun },
    commits: done.map(one => ({
      commit: one.partition,
      ...{ batches_before: one.batchesBefore, batches_after: one.batchesAfter },
      ...{ objects_before: one.objectsBefore, objects_after: one.objectsAfter, bytes: one.bytes },
    })),
    skipped: found.filter(isSkipped).map(({ partition, skipped }) => ({ commit: partition, reason: skipped })),
  }
}

function print(report: Report, found: readonly CompactedOrSkipped[], { dryRun, place }: Told): void {
  const done = found.flatMap(one => (isSkipped(one) ? [] : [one]))
  report.verdict(true, dryRun ? 'would compact' : 'compacted', `${plural(done.length, 'commit')} in ${place}`)
  for (const { partition, objectsBefore, objectsAfter } of done)
    report.result(`  ${partition.slice(0, 7)}: ${plural(objectsBefore, 'object')} to ${objectsAfter}`)
  for (const { partition, skipped } of found.filter(isSkipped))
    report.warning(`${partition.slice(0, 7)} was left: ${skipped}`)
}
