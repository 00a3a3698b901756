/** `changes accept`, `changes accepted` and `changes withdraw`. */

import { toAcceptedDocument, type AcceptedChange } from '../../../analysis/accepted-change.js'
import { lookUpCommit } from '../../../commit/git.js'
import { acceptChange, withdrawAccepted } from '../../../delivery/accepted-changes.js'
import { EXIT } from '../../../errors.js'
import type { ChangesAcceptedReport, ChangesAcceptReport, ChangesWithdrawReport } from '../../../reports/changes.js'
import type { Action, Context, Format } from '../../context.js'
import { thisUser } from '../../options/this-user.js'
import { plural, type Report } from '../../output/report.js'
import { openMeasurements, type OpenMeasurements, type MeasurementFlags } from './open-measurements.js'
import { acceptedText } from './words.js'

type AcceptFlags = MeasurementFlags & {
  readonly format: Format
  readonly note: string
  readonly series?: readonly string[]
  readonly by?: string
  readonly gitDir?: string
}

export const runAccept: Action<AcceptFlags> = ([name = ''], flags, context) =>
  withMeasurements(flags, context, async ({ reader, accepted: store }) => {
    const { note, series = [], by = thisUser(), gitDir, format } = flags
    const { env, signal, now, report } = context
    const commit = await reader.find(name, name => lookUpCommit(name, { gitDir, env, signal }))
    const accepted = await acceptChange(store, { commit: commit.sha, series, note, by }, now().getTime())
    const result = { exit_code: EXIT.done, store: store.description, accepted: toAcceptedDocument(accepted) }
    if (format === 'json') report.json<ChangesAcceptReport>({ command: 'changes accept', ...result })
    else report.verdict(true, 'recorded', `in ${store.description}: ${acceptedText(accepted)}`)
  })

export const runAccepted: Action<AcceptFlags> = (_, flags, context) =>
  withMeasurements(flags, context, async ({ accepted: store }) => {
    const { report } = context
    const all = await store.list()
    const result = { exit_code: EXIT.done, store: store.description, accepted: all.map(toAcceptedDocument) }
    if (flags.format === 'json') report.json<ChangesAcceptedReport>({ command: 'changes accepted', ...result })
    else printAccepted(report, all, store.description)
  })

function printAccepted(report: Report, all: readonly AcceptedChange[], store: string): void {
  report.result(`${plural(all.length, 'accepted change')} in ${store}`)
  for (const accepted of all) report.result(`  ${accepted.id}  ${acceptedText(accepted)}`)
}

export const runWithdraw: Action<AcceptFlags> = ([name = ''], flags, context) =>
  withMeasurements(flags, context, async ({ accepted: store }) => {
    const { by = thisUser(), format } = flags
    const { report, now } = context
    const withdrawn = await withdrawAccepted(store, name, { by, at: now().toISOString() })
    const result = { exit_code: EXIT.done, store: store.description, withdrawn: withdrawn.map(toAcceptedDocument) }
    if (format === 'json') report.json<ChangesWithdrawReport>({ command: 'changes withdraw', ...result })
    else for (const accepted of withdrawn) report.verdict(true, 'withdrawn:', acceptedText(accepted))
  })

async function withMeasurements(
  flags: MeasurementFlags,
  context: Context,
  work: (measurements: OpenMeasurements) => Promise<void>,
): Promise<number> {
  const measurements = await openMeasurements(flags, context)
  try {
    await work(measurements)
    return EXIT.done
  } finally {
    await measurements.close()
  }
}
