/** Defines `drain` and `recover` with their flags and help. Their implementation is loaded when they run. */

import type { Command, Option } from 'commander'
import {
  examples,
  addOptions,
  deliveryFlags,
  downgradeFlag,
  duration,
  explainFlag,
  flag,
  formatFlag,
  positive,
  requireFlag,
  stateFlag,
  targetNameFlag,
} from '../../options/flags.js'
import { lazy } from '../lazy.js'
import type { Run } from '../../run.js'

export function addDrain(program: Command, run: Run): void {
  const command = program
    .command('drain')
    .summary('deliver queued records')
    .description(
      'Gives each target that is named everything in the outbox of the state that it does not have yet, commit by ' +
        'commit. What cannot be delivered stays there, and so does what is beyond the limits (exit code 75).',
    )
    .action(run(lazy(async () => (await import('./action.js')).drain)))
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
      'A delivery that was begun by a process that is gone is done again, exactly its lines, and written down in the ' +
        'audit. Every push and drain does the same for its targets before anything else.',
    )
    .action(run(lazy(async () => (await import('./action.js')).recover)))
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
