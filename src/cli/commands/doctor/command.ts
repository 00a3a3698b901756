/** Defines `doctor` with its flags and help. The command's implementation is loaded when it runs. */

import type { Command } from 'commander'
import { examples, addOptions, checkFlags, formatFlag, stateFlag } from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'

export function addDoctor(program: Command, run: Run): void {
  const command = program
    .command('doctor')
    .summary('check configuration and connectivity')
    .description(
      'Checks the targets of a push with the same flags and environment, and writes nothing: settings with their origin, ' +
        'proxy, names, certificates, token or login, role and grants, tables, clocks, disk. The output contains no secrets. ' +
        'Exit code 0, 77 (not authorised), 78 (configuration, certificate, role, tables) or 69 (target unreachable).',
    )
  addOptions(command, [...checkFlags(), stateFlag(), formatFlag()])
  command
    .addHelpText(
      'after',
      examples([
        ['doctor', 'the embedded database'],
        ['doctor --postgres postgres://bench_ingest@db.example.com/bench', ''],
        ['doctor --server https://ingest.example.com --format json', ''],
      ]),
    )
    .action(run(lazy(async () => (await import('./action.js')).doctor)))
}
