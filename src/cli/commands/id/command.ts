/** Defines `id` with its flags and help. The command's implementation is loaded when it runs. */

import type { Command } from 'commander'
import { examples, contractFlag, formatFlag } from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'

export function addId(program: Command, run: Run): void {
  program
    .command('id')
    .summary('print the measurement_id of every record')
    .description(
      'Prints one id per line, in input order. For a rejected line it prints an empty line, and the reason on stderr.',
    )
    .argument('[files...]', 'files, globs, or - for standard input; plain, gzip or zstd')
    .addOption(contractFlag())
    .addOption(formatFlag())
    .addHelpText(
      'after',
      examples([
        ['id results.jsonl', ''],
        ['id - --format json < results.jsonl', ''],
      ]),
    )
    .action(run(lazy(async () => (await import('./action.js')).runId)))
}
