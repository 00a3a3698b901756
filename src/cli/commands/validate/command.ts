/** Defines `validate` with its flags and help. */

import type { Command } from 'commander'
import {
  examples,
  commitShaFlag,
  contractFlag,
  flag,
  positive,
  rejectsFlag,
  reportFlag,
  requireRecordsFlag,
  validateFormatFlag,
} from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'
import { withReportFile } from '../../output/report-file.js'

export function addValidate(program: Command, run: Run): void {
  program
    .command('validate')
    .summary('check records and send nothing')
    .description('Reports every line that a push would reject. Needs no network, no token and no git.')
    .argument('[files...]', 'files, globs, or - for standard input; plain, gzip or zstd')
    .addOption(commitShaFlag())
    .addOption(contractFlag())
    .addOption(requireRecordsFlag())
    .addOption(
      flag('--max-rejections <n>', 'stop after this many rejections and print all of them').argParser(positive),
    )
    .addOption(flag('--accepted <file>', 'write the accepted lines to this new file').conflicts('maxRejections'))
    .addOption(
      rejectsFlag('write the rejected lines to this new file, and the reasons to FILE.reasons.jsonl').conflicts(
        'maxRejections',
      ),
    )
    .addOption(validateFormatFlag())
    .addOption(reportFlag())
    .addHelpText(
      'after',
      examples([
        ['validate results.jsonl', ''],
        ["validate 'out/*.jsonl' --max-rejections 10", ''],
        ['validate results.jsonl --accepted good.jsonl --rejects bad.jsonl', 'split a file'],
        ['validate results.jsonl --format sarif > results.sarif', 'for code scanning; --format junit for test reports'],
      ]),
    )
    .action(run(withReportFile(lazy(async () => (await import('./action.js')).runValidate))))
}
