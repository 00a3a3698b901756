/** Defines `journal` and its subcommands with their flags and help. Their implementation is loaded when they run. */

import { examples, age, flag, positive } from '../../options/flags.js'
import { InvalidArgumentError, type Command } from 'commander'
import { lazy, type Run } from '../../run.js'
import { aboutState } from '../state/about-state.js'

export function addJournal(program: Command, run: Run): void {
  const journal = program
    .command('journal')
    .summary('show failures of targets and buckets')
    .description('Shows failed operations on targets and buckets. Without a subcommand it runs `journal show`.')
    .addHelpText('after', examples([['journal --since 1h --state ~/bench-state', 'what failed in the last hour']]))
  const show = journal
    .command('show', { isDefault: true })
    .summary('list failures, newest first')
    .description('Lists failed operations. Skips damaged events with a warning (exit code 78).')
    .addOption(flag('--target <name>', 'only failures of this target or bucket'))
    .addOption(flag('--since <age>', 'only failures up to this age, such as 2h, 90m or 30d').argParser(age))
    .addOption(flag('--limit <n>', 'maximum number of failures to list (default: 50)').argParser(positive))
    .action(run(lazy(async () => (await import('./action.js')).runJournalShow)))
  aboutState(show, [['journal --target db --since 2h --state ~/bench-state', '']])
  const compact = journal
    .command('compact')
    .summary('merge the journal into one object')
    .description('Drops events older than 30 days and all but the newest 10,000. Prints the size before and after.')
    .action(run(lazy(async () => (await import('./action.js')).runJournalCompact)))
  aboutState(compact, [['journal compact --state ~/bench-state', '']])
  const health = journal
    .command('health')
    .summary('show the recent health of targets and buckets')
    .description(
      'Shows the recent errors, the last success and the health (ok, recovered, failing or unknown) of each target and bucket.',
    )
    .addOption(flag('--minutes <n>', 'count the errors of the last N minutes (default: 5)').argParser(minutes))
    .action(run(lazy(async () => (await import('./action.js')).runJournalHealth)))
  aboutState(health, [['journal health --minutes 60 --state ~/bench-state', '']])
}

const MAX_MINUTES = 60 * 24 * 366

function minutes(text: string): number {
  const value = positive(text)
  if (value > MAX_MINUTES) throw new InvalidArgumentError('It cannot be more than a year.')
  return value
}
