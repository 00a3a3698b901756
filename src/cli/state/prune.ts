/** `state prune`: removes from the outbox what every target has. */

import { requiredStateConfig } from '../../config/state.js'
import { EXIT, IngestError } from '../../errors.js'
import { prune as pruneState, type Pruned, type PrunedOrSkipped } from '../../state/prune.js'
import { count, plural, type Report } from '../report.js'
import type { StateAction, StateCommandFlags } from './flags.js'
import { withState } from './with-state.js'

export const prune: StateAction = (_, flags, context) => {
  const olderThanMs = ageOf(flags)
  return withState(requiredStateConfig(flags, context.env), context, async state => {
    const { report, signal } = context
    const dryRun = flags.dryRun === true
    const found: PrunedOrSkipped[] = []
    for await (const one of pruneState(state, { olderThanMs, dryRun })) {
      signal.throwIfAborted()
      found.push(one)
    }
    const exitCode = found.some(isSkipped) ? EXIT.kept : EXIT.done
    const place = state.storage.description
    if (flags.format === 'json') report.json(pruneReport(found, { exitCode, dryRun, place }))
    else print(report, found, { dryRun, place })
    return exitCode
  })
}

/** @throws {IngestError} `usage` */
function ageOf({ force, olderThan }: StateCommandFlags): number | undefined {
  if ((force === true) === (olderThan !== undefined)) return olderThan
  const hint = 'without them goes what every target has; with both, what is older goes as well, whoever lacks it'
  throw new IngestError('usage', '--force and --older-than go together', { hint })
}

function isSkipped(one: PrunedOrSkipped): one is Exclude<PrunedOrSkipped, Pruned> {
  return 'skipped' in one
}

type Told = { readonly dryRun: boolean; readonly place: string }

function pruneReport(
  found: readonly PrunedOrSkipped[],
  { exitCode, dryRun, place }: Told & { readonly exitCode: number },
): object {
  const done = found.flatMap(one => (isSkipped(one) ? [] : [one]))
  return {
    ...{ command: 'state prune', exit_code: exitCode, state: place, dry_run: dryRun },
    commits: done.map(({ partition, batches, records, bytes, lost }) => {
      const losses = [...lost].map(([target, missing]) => ({ target, records: missing }))
      return { commit: partition, batches, records, bytes, lost: losses }
    }),
    skipped: found.filter(isSkipped).map(({ partition, skipped }) => ({ commit: partition, reason: skipped })),
  }
}

function print(report: Report, found: readonly PrunedOrSkipped[], { dryRun, place }: Told): void {
  const done = found.flatMap(one => (isSkipped(one) ? [] : [one]))
  const sum = (of: (one: Pruned) => number): number => done.reduce((all, one) => all + of(one), 0)
  const what = `${plural(
    sum(({ records }) => records),
    'record',
  )} of ${plural(done.length, 'commit')} (${plural(
    sum(({ bytes }) => bytes),
    'byte',
  )})`
  report.verdict(true, dryRun ? 'would remove' : 'removed', `${what} from ${place}`)
  for (const { partition, records, lost } of done) {
    report.result(`  ${partition.slice(0, 7)}: ${plural(records, 'record')}`)
    for (const [target, missing] of lost)
      report.warning(`${target} ${dryRun ? 'would lose' : 'loses'} ${count(missing)} of them`)
  }
  for (const { partition, skipped } of found.filter(isSkipped))
    report.warning(`${partition.slice(0, 7)} was left: ${skipped}`)
}
