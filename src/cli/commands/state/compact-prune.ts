/** `state compact` and `state prune`: process every commit of a state, then report the result. */

import { requiredStateConfig } from '../../../config/state.js'
import { EXIT, IngestError } from '../../../errors.js'
import type { Skipped } from '../../../state/partition-leases.js'
import type { State } from '../../../state/state.js'
import { type Report, plural, count } from '../../output/report.js'
import { type StateAction, type StateCommandFlags, withState } from './with-state.js'
import type { StateCompactReport, StatePruneReport } from '../../../reports/state.js'
import { compactOutbox, type Compacted } from '../../../state/compact.js'
import { pruneRejects, type StoredRejects } from '../../../state/rejects.js'
import { rejectSetReport } from './rejects.js'
import { pruneOutbox, type Pruned } from '../../../state/prune.js'

type Left = { readonly partition: string } & Skipped

type TidyOptions = { readonly dryRun: boolean; readonly olderThanMs: number | undefined }

type TidyReport = StateCompactReport | StatePruneReport

/** The members that both reports have in common. */
type TidyFields = Omit<TidyReport, 'command' | 'commits'>

/** The state in words, and whether it was only inspected. */
type TidyContext = { readonly dryRun: boolean; readonly state: string }

type Tidying<Done extends object> = {
  /**
   * Reads the age in milliseconds from the flags.
   * @throws {IngestError} `usage`
   */
  readonly readAge?: (flags: StateCommandFlags) => number | undefined
  readonly work: (state: State, options: TidyOptions) => AsyncIterable<Done | Left>
  readonly document: (common: TidyFields, done: readonly Done[]) => TidyReport
  readonly print: (report: Report, done: readonly Done[], context: TidyContext) => void
}

/** Creates the command. Commits that another process is delivering are skipped and reported, with exit code 75. */
function tidy<Done extends object>({ readAge, work, document, print }: Tidying<Done>): StateAction {
  return (_, flags, context) => {
    const options = { dryRun: flags.dryRun === true, olderThanMs: readAge?.(flags) }
    return withState(requiredStateConfig(flags, context.env), context, async state => {
      const { report, signal } = context
      const { done, left } = await collect(work(state, options), signal)
      const exitCode = left.length > 0 ? EXIT.queued : EXIT.done
      const tidied = { dryRun: options.dryRun, state: state.storage.description }
      if (flags.format === 'json') {
        const skipped = left.map(({ partition, skipped: reason }) => ({ commit: partition, reason }))
        const common = { exit_code: exitCode, state: tidied.state, dry_run: tidied.dryRun, skipped }
        report.json<TidyReport>(document(common, done))
        return exitCode
      }
      print(report, done, tidied)
      for (const { partition, skipped } of left) report.warning(`${partition.slice(0, 7)} was skipped: ${skipped}`)
      return exitCode
    })
  }
}

type Collected<Done> = { readonly done: readonly Done[]; readonly left: readonly Left[] }

async function collect<Done extends object>(
  steps: AsyncIterable<Done | Left>,
  signal: AbortSignal,
): Promise<Collected<Done>> {
  const done: Done[] = []
  const left: Left[] = []
  for await (const one of steps) {
    signal.throwIfAborted()
    if ('skipped' in one) left.push(one)
    else done.push(one)
  }
  return { done, left }
}

export const runStateCompact = tidy<Compacted>({
  work: compactOutbox,
  document: (common, done): StateCompactReport => ({
    command: 'state compact',
    ...common,
    commits: done.map(compactedCommit),
  }),
  print: (report, done, { dryRun, state }) => {
    report.verdict(true, dryRun ? 'would compact' : 'compacted', `${plural(done.length, 'commit')} in ${state}`)
    for (const { partition, objectsBefore, objectsAfter } of done)
      report.result(`  ${partition.slice(0, 7)}: ${plural(objectsBefore, 'object')} to ${objectsAfter}`)
  },
})

function compactedCommit(one: Compacted): StateCompactReport['commits'][number] {
  return {
    commit: one.partition,
    batches_before: one.batchesBefore,
    batches_after: one.batchesAfter,
    objects_before: one.objectsBefore,
    objects_after: one.objectsAfter,
    bytes: one.bytes,
  }
}

export const runStatePrune = tidy<Pruned | StoredRejects>({
  readAge: readPruneAge,
  work: async function* (state, options) {
    yield* pruneOutbox(state, options)
    yield* pruneRejects(state, options)
  },
  document: (common, done): StatePruneReport => ({
    command: 'state prune',
    ...common,
    commits: done.filter(isPruned).map(prunedCommit),
    rejected: done.filter(isRejectSet).map(rejectSetReport),
  }),
  print: (report, done, context) => {
    printPruned(report, done.filter(isPruned), context)
    const lines = done.filter(isRejectSet).reduce((all, { rejected }) => all + rejected, 0)
    if (lines > 0)
      report.warning(`${context.dryRun ? 'would remove' : 'removed'} by age: ${plural(lines, 'rejected line')}`)
  },
})

function isPruned(one: Pruned | StoredRejects): one is Pruned {
  return 'batches' in one
}

function isRejectSet(one: Pruned | StoredRejects): one is StoredRejects {
  return !isPruned(one)
}

function prunedCommit({ partition, batches, records, bytes, lost }: Pruned): StatePruneReport['commits'][number] {
  const losses = [...lost].map(([target, missing]) => ({ target, records: missing }))
  return { commit: partition, batches, records, bytes, lost: losses }
}

/**
 * The age in milliseconds from which records are removed although targets lack them; undefined without `--force`.
 * @throws {IngestError} `usage` if only one of `--force` and `--older-than` is given
 */
function readPruneAge({ force, olderThan }: StateCommandFlags): number | undefined {
  if ((force === true) === (olderThan !== undefined)) return olderThan
  const hint = 'give both flags to remove old records that a target still lacks, or neither'
  throw new IngestError('usage', '--force and --older-than go together', { hint })
}

function printPruned(report: Report, done: readonly Pruned[], { dryRun, state }: TidyContext): void {
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
  report.verdict(true, dryRun ? 'would remove' : 'removed', `${what} from ${state}`)
  for (const { partition, records, lost } of done) {
    report.result(`  ${partition.slice(0, 7)}: ${plural(records, 'record')}`)
    for (const [target, missing] of lost)
      report.warning(`${target} ${dryRun ? 'would lose' : 'loses'} ${count(missing)} of them`)
  }
}
