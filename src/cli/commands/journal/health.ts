/** `journal health`: shows the recent errors and the last success of each target and bucket. */

import { requiredStateConfig } from '../../../config/state.js'
import { EXIT } from '../../../errors.js'
import { readHealth, type Health } from '../../../state/health.js'
import { healthDocument } from '../../../state/target-overview.js'
import { withState, type RegistryAction } from '../state/with-state.js'
import { table } from '../../output/table.js'
import type { JournalHealthReport } from '../../../reports/state.js'

const MINUTES = 5

export const health: RegistryAction = (_, flags, context) =>
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

function rowOf({ name, subject, state, errors, lastSuccess, lastError }: Health): string[] {
  const error = lastError === undefined ? '-' : `${lastError.time} ${lastError.code}`
  return [name, subject, state, String(errors), lastSuccess ?? '-', error]
}
