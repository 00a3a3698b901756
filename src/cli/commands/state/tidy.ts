/** The part that `state prune` and `state compact` share: process every commit, then report the result. */

import { requiredStateConfig } from '../../../config/state.js'
import { EXIT } from '../../../errors.js'
import type { Skipped } from '../../../state/partition-leases.js'
import type { State } from '../../../state/state.js'
import type { Report } from '../../output/report.js'
import { type StateAction, type StateCommandFlags, withState } from './with-state.js'
import type { StateCompactReport, StatePruneReport } from '../../../reports/state.js'

type Left = { readonly partition: string } & Skipped

type TidyOptions = { readonly dryRun: boolean; readonly olderThanMs: number | undefined }

type TidyReport = StateCompactReport | StatePruneReport

/** The members that both reports have in common. */
type TidyFields = Omit<TidyReport, 'command' | 'commits'>

/** The place of the state, and whether it was only inspected. */
export type Told = { readonly dryRun: boolean; readonly place: string }

export type Tidying<Done extends object> = {
  /**
   * Reads the age in milliseconds from the flags.
   * @throws {IngestError} `usage`
   */
  readonly ageOf?: (flags: StateCommandFlags) => number | undefined
  readonly work: (state: State, options: TidyOptions) => AsyncIterable<Done | Left>
  readonly document: (common: TidyFields, done: readonly Done[]) => TidyReport
  readonly print: (report: Report, done: readonly Done[], told: Told) => void
}

/** Creates the command. Commits that another process is delivering are skipped and reported, with exit code 75. */
export function tidy<Done extends object>({ ageOf, work, document, print }: Tidying<Done>): StateAction {
  return (_, flags, context) => {
    const options = { dryRun: flags.dryRun === true, olderThanMs: ageOf?.(flags) }
    return withState(requiredStateConfig(flags, context.env), context, async state => {
      const { report, signal } = context
      const { done, left } = await collect(work(state, options), signal)
      const exitCode = left.length > 0 ? EXIT.queued : EXIT.done
      const told = { dryRun: options.dryRun, place: state.storage.description }
      if (flags.format === 'json') {
        const skipped = left.map(({ partition, skipped: reason }) => ({ commit: partition, reason }))
        const common = { exit_code: exitCode, state: told.place, dry_run: told.dryRun, skipped }
        report.json<TidyReport>(document(common, done))
        return exitCode
      }
      print(report, done, told)
      for (const { partition, skipped } of left) report.warning(`${partition.slice(0, 7)} was left: ${skipped}`)
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
