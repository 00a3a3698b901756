/** Defines `verify` with its flags and help. The command's implementation is loaded when it runs. */

import type { Command } from 'commander'
import {
  examples,
  addOptions,
  commitShaFlag,
  contractFlag,
  flag,
  formatFlag,
  piiFlag,
  readingFlags,
  reportFlag,
  stateFlag,
  targetNameFlag,
} from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'
import { withReportFile } from '../../output/report-file.js'

export function addVerify(program: Command, run: Run): void {
  const command = program
    .command('verify')
    .summary('compare files, or a state, with the rows of targets')
    .description(
      'Reads the rows back by id and compares every column. A difference ends in exit code 4. Without files, everything that a ' +
        'state has delivered is compared with its registered targets, for example after a database was restored from a backup.',
    )
    .argument('[files...]', 'files, globs, or - for standard input')
    .action(run(withReportFile(lazy(async () => (await import('./action.js')).runVerify))))
  addOptions(command, [...readingFlags(), commitShaFlag(), contractFlag(), piiFlag()])
  command
    .addOption(flag('--extra', "also report stored rows of the file's commit that are not in the file"))
    .addOption(stateFlag())
    .addOption(targetNameFlag())
    .addOption(
      flag(
        '--rewind',
        'with --state: move watermarks back where rows are missing, so that the next drain delivers them',
      ),
    )
    .addOption(formatFlag())
    .addOption(reportFlag())
    .addHelpText(
      'after',
      examples([
        ['verify results.jsonl', ''],
        ['verify results.jsonl --postgres DSN --extra', ''],
        ['verify results.jsonl --server http://127.0.0.1:8080', 'a vortex-ingest serve'],
        ['verify --state s3://bench/state --rewind', 'after a restore from a backup'],
      ]),
    )
}
