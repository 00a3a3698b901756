/** `golden-check` with its flags and help; it is loaded when it runs. */

import type { Command } from 'commander'
import { examples } from './examples.js'
import { flag, formatFlag } from './flags.js'
import { lazy } from './lazy.js'
import type { Run } from './run.js'

export function addGoldenCheck(program: Command, run: Run): void {
  program
    .command('golden-check')
    .summary('check both id implementations against the golden vectors')
    .description(
      'Two implementations of the measurement_id, every golden vector, and every place that states the version.',
    )
    .addOption(flag('--vectors <file>', "also check somebody else's vectors, in the published format"))
    .addOption(formatFlag())
    .addHelpText(
      'after',
      examples([
        ['golden-check', ''],
        ['golden-check --vectors theirs.json', ''],
      ]),
    )
    .action(run(lazy(async () => (await import('./golden-check.js')).goldenCheck)))
}
