/** Defines `verify` with its flags and help. The command's implementation is loaded when it runs. */

import type { Command } from 'commander'
import {
  examples,
  addOptions,
  commitShaFlag,
  contractFlag,
  flag,
  formatFlag,
  readingFlags,
  reportFlag,
} from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'
import { withReportFile } from '../../output/report-file.js'

export function addVerify(program: Command, run: Run): void {
  const command = program
    .command('verify')
    .summary('compare files with the rows of a target')
    .description('Reads the rows back by id and compares every column. A difference ends in exit code 4.')
    .argument('<files...>', 'files, globs, or - for standard input')
    .action(run(withReportFile(lazy(async () => (await import('./action.js')).runVerify))))
  addOptions(command, [...readingFlags(), commitShaFlag(), contractFlag()])
  command
    .addOption(flag('--extra', "also report stored rows of the file's commit that are not in the file"))
    .addOption(formatFlag())
    .addOption(reportFlag())
    .addHelpText(
      'after',
      examples([
        ['verify results.jsonl', ''],
        ['verify results.jsonl --postgres DSN --extra', ''],
        ['verify results.jsonl --server http://127.0.0.1:8080', 'a vortex-ingest serve'],
      ]),
    )
}
