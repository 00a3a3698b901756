/** `targets ls`: where records go, whether that can be reached, and what each target lacks. */

import { requiredStateConfig } from '../../config/state.js'
import { EXIT } from '../../errors.js'
import type { Diagnosis } from '../../doctor/diagnose.js'
import type { State } from '../../state/state.js'
import type { Lag } from '../../state/survey.js'
import { overviewTargets, type Overview, type TargetOverview } from '../../state/target-overview.js'
import type { Context } from '../context.js'
import { count, oneLine, plural, type Report } from '../report.js'
import { withState } from '../state/with-state.js'
import { checkTarget } from './check-target.js'
import { journalEventDocument } from './event-document.js'
import type { RegistryAction } from './flags.js'
import { promotionDocument, settingsText } from '../tuning/documents.js'
import { table } from './table.js'
import { targetDocument } from './target-document.js'

export const ls: RegistryAction = (_, flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async state => {
    const { report } = context
    const overview = await overviewTargets(state)
    const checked = flags.check === false ? undefined : await checkAll(overview, state, context)
    const exitCode = overview.problems.length === 0 ? EXIT.done : EXIT.config
    if (flags.format === 'json') report.json(document(overview, checked, exitCode))
    else print(report, overview, checked)
    for (const problem of overview.problems) report.warning(problem)
    return exitCode
  })

/** In the order of the targets; all are asked at the same time. */
type Checked = readonly Diagnosis[]

function checkAll({ targets }: Overview, state: State, context: Context): Promise<Checked> {
  return Promise.all(targets.map(({ target }) => checkTarget(target, state, context)))
}

function document(overview: Overview, checked: Checked | undefined, exitCode: number): object {
  return {
    command: 'targets ls',
    exit_code: exitCode,
    targets: overview.targets.map((one, index) => ({
      ...targetDocument(one.target),
      reachable: checked === undefined ? null : checked[index]?.exitCode === 0,
      problem: problemOf(checked?.[index]) ?? null,
      lag: lagDocument(one.lag),
      last_success: one.lastSuccess ?? null,
      last_error: one.lastError === undefined ? null : journalEventDocument(one.lastError),
      settings: one.promotion === undefined ? 'defaults' : 'promoted',
      promotion: one.promotion === undefined ? null : promotionDocument(one.promotion),
    })),
    unregistered: overview.unregistered.map(({ target, ...lag }) => ({
      identity: target.name,
      kind: target.kind,
      lag: lagDocument(lag),
    })),
    problems: overview.problems,
  }
}

function lagDocument(lag: Omit<Lag, 'target'> | undefined): object | null {
  if (lag === undefined) return null
  return { records: lag.records, bytes: lag.bytes, commits: lag.partitions, oldest: lag.oldest ?? null }
}

function print(report: Report, { targets, unregistered }: Overview, checked: Checked | undefined): void {
  if (targets.length === 0) {
    report.result('no targets are registered')
    report.hint('vortex-ingest targets add NAME KIND ADDRESS registers one')
  } else {
    const head = ['NAME', 'KIND', 'ADDRESS', 'REQUIRED', 'REACHABLE', 'LACKS', 'LAST ERROR', 'SETTINGS']
    const rows = targets.map((one, index) => rowOf(one, checked === undefined ? undefined : checked[index]))
    for (const line of table([head, ...rows])) report.result(line)
  }
  for (const [index, one] of targets.entries()) {
    const problem = problemOf(checked?.[index])
    if (problem !== undefined) report.warning(`${one.target.name}: ${problem}`)
  }
  for (const { target } of unregistered)
    report.note(`not registered, but waited for: ${oneLine(target.name)} (vortex-ingest targets rm ends that)`)
}

function rowOf({ target, lag, lastError, promotion }: TargetOverview, checked: Diagnosis | undefined): string[] {
  return [
    target.name,
    target.kind,
    oneLine(target.address),
    target.isRequired ? 'yes' : 'best effort',
    checked === undefined ? '-' : checked.exitCode === 0 ? 'yes' : 'no',
    lag === undefined || lag.oldest === undefined ? 'nothing' : lacks(lag),
    lastError === undefined ? '-' : `${lastError.time.slice(0, 19)}Z ${lastError.code}`,
    promotion === undefined ? 'defaults' : settingsText(promotion.settings),
  ]
}

function lacks({ records, partitions }: Lag): string {
  return `${count(records)} of ${plural(partitions, 'commit')}`
}

/** The first thing that failed. */
function problemOf(diagnosis: Diagnosis | undefined): string | undefined {
  const lines = diagnosis?.groups.flatMap(group => group.lines) ?? []
  return lines.find(({ status }) => status === 'fail')?.fact
}
