/** `journal`: shows failed operations, maintains their journal, and shows the health of targets and buckets. */

import { requiredStateConfig } from '../../../config/state.js'
import { EXIT } from '../../../errors.js'
import { compactJournal, type JournalSize, readJournal } from '../../../state/journal.js'
import { oneLine } from '../../../visible-text.js'
import { plural } from '../../output/report.js'
import { withState, type RegistryAction } from '../state/with-state.js'
import { journalEventDocument } from '../../../state/journal-event.js'
import type { JournalCompactReport, JournalReport, JournalHealthReport } from '../../../reports/state.js'
import { readHealth, type Health } from '../../../state/health.js'
import { healthDocument } from '../../../state/target-overview.js'
import { table } from '../../output/table.js'

const LIMIT = 50

export const runJournalShow: RegistryAction = (_, flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async ({ storage, tools }) => {
    const { report } = context
    const problems: string[] = []
    const since = flags.since === undefined ? undefined : tools.now() - flags.since
    const query = { name: flags.target, since, limit: flags.limit ?? LIMIT }
    const events = await readJournal(storage, { ...query, onDamage: message => problems.push(message) })
    const exitCode = problems.length === 0 ? EXIT.done : EXIT.config
    if (flags.format === 'json')
      report.json<JournalReport>({
        command: 'journal',
        exit_code: exitCode,
        events: events.map(journalEventDocument),
        problems,
      })
    else
      for (const { time, subject, name, operation, attempt, code, message } of events)
        report.result(oneLine(`${time} ${subject} ${name}: ${operation} (try ${attempt}) ${code}: ${message}`))
    if (events.length === 0) report.note('nothing in the journal')
    for (const problem of problems) report.warning(`left out: ${problem}`)
    return exitCode
  })

export const runJournalCompact: RegistryAction = (_, flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async state => {
    const { report } = context
    const { before, after } = await compactJournal(state)
    if (flags.format === 'json')
      report.json<JournalCompactReport>({ command: 'journal compact', exit_code: EXIT.done, before, after })
    else report.verdict(true, 'compacted', `${sizeText(before)} before, ${sizeText(after)} now`)
    return EXIT.done
  })

function sizeText({ events, objects }: JournalSize): string {
  return `${plural(events, 'event')} in ${plural(objects, 'object')}`
}

const MINUTES = 5

export const runJournalHealth: RegistryAction = (_, flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async state => {
    const { report } = context
    const problems: string[] = []
    const minutes = flags.minutes ?? MINUTES
    const found = await readHealth(state, { minutes, onDamage: message => problems.push(message) })
    const exitCode = problems.length === 0 ? EXIT.done : EXIT.config
    if (flags.format === 'json')
      report.json<JournalHealthReport>({
        command: 'journal health',
        exit_code: exitCode,
        minutes,
        health: found.map(healthDocument),
        problems,
      })
    else for (const line of table([HEAD, ...found.map(rowOf)])) report.result(line)
    for (const problem of problems) report.warning(`left out: ${problem}`)
    return exitCode
  })

const HEAD = ['NAME', 'SORT', 'STATE', 'ERRORS', 'LAST SUCCESS', 'LAST ERROR']

function rowOf({ name, subject, state, failure, errors, lastSuccess, lastError }: Health): string[] {
  const error = lastError === undefined ? '-' : `${lastError.time} ${lastError.code}`
  return [name, subject, failure ?? state, String(errors), lastSuccess ?? '-', error]
}
