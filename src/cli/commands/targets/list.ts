/** `targets ls`: lists registered targets, whether each is reachable, and its undelivered records. */

import { requiredStateConfig } from '../../../config/state.js'
import { EXIT } from '../../../errors.js'
import type { Diagnosis } from '../doctor/diagnose.js'
import type { State } from '../../../state/state.js'
import {
  overviewDocument,
  unregisteredDocuments,
  targetDocument,
  overviewTargets,
  type Overview,
  type TargetOverview,
} from '../../../state/target-overview.js'
import type { Lag } from '../../../state/state-summary.js'
import type { Context } from '../../context.js'
import { oneLine } from '../../../visible-text.js'
import { count, plural, type Report } from '../../output/report.js'
import { withState, type RegistryAction } from '../state/with-state.js'
import { checkTarget } from './check-target.js'
import { settingsText } from '../tune/trials.js'
import { table } from '../../output/table.js'
import type { TargetsListReport } from '../../../reports/targets.js'

export const listTargetsCommand: RegistryAction = (_, flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async state => {
    const { report } = context
    const overview = await overviewTargets(state)
    const checked = flags.check === false ? undefined : await checkAll(overview, state, context)
    const exitCode = overview.problems.length === 0 ? EXIT.done : EXIT.config
    if (flags.format === 'json') report.json<TargetsListReport>(document(overview, checked, exitCode))
    else print(report, overview, { checked, columns: context.columns })
    for (const problem of overview.problems) report.warning(problem)
    return exitCode
  })

/** One diagnosis per target, in the order of the targets. All targets are checked concurrently. */
type Checked = readonly Diagnosis[]

function checkAll({ targets }: Overview, state: State, context: Context): Promise<Checked> {
  return Promise.all(targets.map(({ target }) => checkTarget(target, state, context)))
}

function document(
  overview: Overview,
  checked: Checked | undefined,
  exitCode: TargetsListReport['exit_code'],
): TargetsListReport {
  return {
    command: 'targets ls',
    exit_code: exitCode,
    targets: overview.targets.map((one, index) => ({
      ...targetDocument(one.target),
      reachable: checked === undefined ? null : checked[index]?.exitCode === 0,
      problem: problemOf(checked?.[index]) ?? null,
      ...overviewDocument(one),
    })),
    unregistered: unregisteredDocuments(overview),
    problems: overview.problems,
  }
}

type Shown = { readonly checked: Checked | undefined; readonly columns: number | undefined }

function print(report: Report, { targets, unregistered }: Overview, { checked, columns }: Shown): void {
  if (targets.length === 0) {
    report.result('no targets are registered')
    report.hint('vortex-ingest targets add NAME KIND ADDRESS registers one')
  } else {
    const rows = targets.map((one, index) => rowOf(one, checked?.[index]))
    const wide = table([HEAD, ...rows.map(row => HEAD.map(name => row[name]))])
    const fits = columns === undefined || wide.every(line => line.length <= columns)
    for (const line of fits ? wide : narrow(rows)) report.result(line)
  }
  for (const [index, one] of targets.entries()) {
    const problem = problemOf(checked?.[index])
    if (problem !== undefined) report.warning(`${one.target.name}: ${problem}`)
  }
  for (const { target } of unregistered)
    report.note(`not registered, but waited for: ${oneLine(target.id)} (vortex-ingest targets rm ends that)`)
}

const HEAD = ['NAME', 'KIND', 'ADDRESS', 'REQUIRED', 'REACHABLE', 'LACKS', 'LAST ERROR', 'SETTINGS'] as const

type Row = Readonly<Record<(typeof HEAD)[number], string>>

function rowOf({ target, lag, lastError, promotion }: TargetOverview, checked: Diagnosis | undefined): Row {
  return {
    NAME: target.name,
    KIND: target.kind,
    ADDRESS: oneLine(target.address),
    REQUIRED: target.isRequired ? 'yes' : 'best effort',
    REACHABLE: checked === undefined ? '-' : checked.exitCode === 0 ? 'yes' : 'no',
    LACKS: lag === undefined ? 'nothing' : lacks(lag),
    'LAST ERROR': lastError === undefined ? '-' : `${lastError.time.slice(0, 19)}Z ${lastError.code}`,
    SETTINGS: promotion === undefined ? 'defaults' : settingsText(promotion.settings),
  }
}

/** Table for a narrow terminal: long cells stand on lines below their target, and cells without information are omitted. */
function narrow(rows: readonly Row[]): readonly string[] {
  const head = ['NAME', 'KIND', 'REQUIRED', 'REACHABLE', 'LACKS'] as const
  const [first = '', ...lines] = table([head, ...rows.map(row => head.map(name => row[name]))])
  const below = ({ ADDRESS, SETTINGS, 'LAST ERROR': lastError }: Row): readonly string[] => [
    `  ${ADDRESS}`,
    ...(lastError === '-' ? [] : [`  last error: ${lastError}`]),
    ...(SETTINGS === 'defaults' ? [] : [`  settings: ${SETTINGS}`]),
  ]
  return [first, ...rows.flatMap((row, index) => [lines[index] ?? '', ...below(row)])]
}

function lacks({ records, partitions, oldest, pruned }: Lag): string {
  if (oldest === undefined) return pruned.records > 0 ? `${count(pruned.records)} pruned` : 'nothing'
  return `${count(records)} of ${plural(partitions, 'commit')}`
}

/** The first failed check of a diagnosis. */
function problemOf(diagnosis: Diagnosis | undefined): string | undefined {
  const lines = diagnosis?.groups.flatMap(group => group.lines) ?? []
  return lines.find(({ status }) => status === 'fail')?.fact
}
