/** Defines `golden-check` with its flags and help. The command's implementation is loaded when it runs. */

import type { Command } from 'commander'
import { examples, flag, formatFlag } from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'

export function addGoldenCheck(program: Command, run: Run): void {
  program
    .command('golden-check')
    .summary('check both id implementations against the golden vectors')
    .description(
      'Computes the measurement_id of every golden vector of every contract version with two implementations, ' +
        'and checks every file that states a contract version.',
    )
    .addOption(
      flag('--vectors <file>', 'also check the vectors of this file, in the format that golden/README.md describes'),
    )
    .addOption(formatFlag())
    .addHelpText(
      'after',
      examples([
        ['golden-check', ''],
        ['golden-check --vectors theirs.json', ''],
      ]),
    )
    .action(run(lazy(async () => (await import('./action.js')).runGoldenCheck)))
}
