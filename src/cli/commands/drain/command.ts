/** Defines `drain` and `recover` with their flags and help. Their implementation is loaded when they run. */

import type { Command, Option } from 'commander'
import {
  addOptions,
  deliveryFlags,
  downgradeFlag,
  duration,
  examples,
  explainFlag,
  flag,
  formatFlag,
  positive,
  requireFlag,
  stateFlag,
  targetNameFlag,
} from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'

export function addDrain(program: Command, run: Run): void {
  const command = program
    .command('drain')
    .summary('deliver queued records')
    .description(
      'Delivers to each target all queued records of the state that it does not have yet, commit by commit. Records ' +
        'that cannot be delivered, or that exceed the limits, stay queued (exit code 75).',
    )
    .action(run(lazy(async () => (await import('./action.js')).runDrain)))
  addOptions(command, [...sharedFlags(), requireFlag(), explainFlag()])
  command
    .addOption(flag('--max-rows <n>', 'stop after about this many records per target').argParser(positive))
    .addOption(flag('--max-duration <seconds>', 'start no new delivery after this time').argParser(duration))
    .addOption(formatFlag())
    .addHelpText(
      'after',
      examples([
        ['drain --state s3://bench/state --postgres postgres://bench_ingest@db.example.com/bench', ''],
        ['drain --state ~/bench-state --server https://ingest.example.com --max-duration 300', ''],
      ]),
    )
}

export function addRecover(program: Command, run: Run): void {
  const command = program
    .command('recover')
    .summary('finish interrupted deliveries')
    .description(
      'Repeats each delivery whose process is gone, with exactly the same records, and writes an audit row. Every push ' +
        'and drain does the same for its targets before anything else.',
    )
    .action(run(lazy(async () => (await import('./action.js')).runRecover)))
  addOptions(command, sharedFlags())
  command
    .addOption(flag('--dry-run', 'change nothing; list the deliveries that would be finished'))
    .addOption(formatFlag())
    .addHelpText(
      'after',
      examples([
        ['recover --state ~/bench-state --dry-run', ''],
        ['recover --state ~/bench-state --postgres DSN', ''],
      ]),
    )
}

/** Flags that `drain` and `recover` share: the state, the targets and the write settings. */
function sharedFlags(): readonly Option[] {
  return [stateFlag(), targetNameFlag(), downgradeFlag(), ...deliveryFlags()]
}
