/** Defines `push` with its flags and help. */

import type { Command } from 'commander'
import {
  addOptions,
  commitFlags,
  contractFlag,
  deliveryFlags,
  downgradeFlag,
  examples,
  explainFlag,
  flag,
  formatFlag,
  noSecretsFlag,
  outcomeFlags,
  rejectFlags,
  reportFlag,
  requireRecordsFlag,
  stateFlag,
  targetNameFlag,
} from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'
import { withReportFile } from '../../output/report-file.js'

export function addPush(program: Command, run: Run): void {
  const command = program
    .command('push')
    .summary('validate records and deliver them')
    .description(
      'Validates every line of every input, then delivers file by file: all of a file or nothing. Without target flags, ' +
        'records go to the registered targets of --state, otherwise to an embedded database in .vortex-ingest. In CI you must ' +
        'give or register a target.',
    )
    .argument('[files...]', 'files, globs, or - for standard input; plain, gzip or zstd')
    .action(run(withReportFile(lazy(async () => (await import('./action.js')).runPush))))
  addOptions(command, [
    ...deliveryFlags(),
    ...outcomeFlags(),
    ...commitFlags(),
    contractFlag(),
    requireRecordsFlag(),
    ...rejectFlags(),
  ])
  command
    .addOption(stateFlag())
    .addOption(targetNameFlag())
    .addOption(flag('--full-refresh', 'with --state: read the inputs from their start and deliver all records again'))
    .addOption(flag('--force-older', 'replace values even if a newer run has delivered them'))
    .addOption(downgradeFlag())
    .addOption(flag('--dry-run', 'check everything, but do not connect or write'))
    .addOption(explainFlag())
    .addOption(noSecretsFlag())
    .addOption(formatFlag())
    .addOption(reportFlag())
    .addHelpText(
      'after',
      examples([
        ['push results.jsonl', 'into the embedded database'],
        ['push results.jsonl --postgres postgres://bench_ingest@db.example.com/bench', 'into Postgres'],
        [
          'push results.jsonl --server https://ingest.example.com --benchmark-id nightly',
          'to an ingest service; --postgres beside it for both',
        ],
        ["push 'out/*.jsonl.gz' --dry-run", 'check only'],
        [
          'push results.jsonl --state ~/bench-state --postgres DSN',
          'only what is new; what a dead target misses stays queued',
        ],
        [
          'push results.jsonl --on-error reject --max-rejections 1% --rejects rejects.jsonl --postgres DSN',
          'deliver the good lines (exit 3); repair and push the others later',
        ],
        ['run-benchmarks | vortex-ingest push - --commit commit.json', 'from a pipe, without git'],
      ]),
    )
}
