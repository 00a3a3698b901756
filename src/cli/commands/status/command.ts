/** Defines `status` with its flags and help. The command's implementation is loaded when it runs. */

import type { Command } from 'commander'
import { examples, formatFlag, stateFlag } from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'

export function addStatus(program: Command, run: Run): void {
  program
    .command('status')
    .summary('show a state and the undelivered records of each target')
    .description(
      'Shows the undelivered records of each target, open deliveries and the last audit rows. Changes nothing. Damaged ' +
        'objects and objects of a newer version are listed, with exit code 78.',
    )
    .addOption(stateFlag())
    .addOption(formatFlag())
    .addHelpText('after', examples([['status --state s3://bench/state', '']]))
    .action(run(lazy(async () => (await import('./action.js')).runStatus)))
}
