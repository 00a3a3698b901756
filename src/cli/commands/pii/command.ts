/** Defines `pii scan` with its flags and help. The implementation is loaded when it runs. */

import type { Command } from 'commander'
import { addOptions, databaseFlags, examples, formatFlag, reportFlag } from '../../options/flags.js'
import { withReportFile } from '../../output/report-file.js'
import { lazy, type Run } from '../../run.js'

export function addPii(program: Command, run: Run): void {
  const pii = program
    .command('pii')
    .summary('find personal data and tokens')
    .description('Personal data in files and databases. `--pii mask` and `--pii drop` of push keep it out of targets.')
    .addHelpText('after', examples([['pii scan results.jsonl', '']]))
  const scan = pii
    .command('scan')
    .summary('report where files or a database hold names, e-mail addresses and tokens')
    .description(
      'Searches every string of files, and every text of a database. Reports the place, the rule and a redacted sample of each ' +
        'finding, and ends in exit code 4 if there is one. Writes nothing.',
    )
    .argument('[files...]', 'files of any text, globs, or - for standard input; plain, gzip or zstd')
    .action(run(withReportFile(lazy(async () => (await import('./action.js')).runPiiScan))))
  addOptions(scan, databaseFlags())
  scan
    .addOption(formatFlag())
    .addOption(reportFlag())
    .addHelpText(
      'after',
      examples([
        ['pii scan results.jsonl commit.json', ''],
        ['pii scan --postgres postgres://bench_read@db.example.com/bench --format json', 'prove that nothing is left'],
      ]),
    )
}
