/** Defines `migrate` with its flags and help. The command's implementation is loaded when it runs. */

import type { Command } from 'commander'
import { examples, addOptions, flag, formatFlag, databaseFlags } from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'

export function addMigrate(program: Command, run: Run): void {
  const command = program
    .command('migrate')
    .summary('apply missing migrations to a database')
    .description(
      'Applies missing migrations. You can run it again, also concurrently. If the table of applied migrations was made by ' +
        'the production migration runner (it has a column filename), new rows use the file names of that runner.',
    )
    .argument('[dsn]', 'Postgres database, as for --postgres (default: the embedded database)')
    .hook('preAction', takeDsn)
    .action(run(lazy(async () => (await import('./action.js')).runMigrate)))
  addOptions(command, databaseFlags())
  command.addOption(flag('--check', 'change nothing; report differences from the contract, with exit code 78'))
  command.addOption(
    flag(
      '--repair-timestamps',
      'apply no migration; correct stored query measurements whose timestamp differs from that of their commit',
    ).conflicts('check'),
  )
  command.addOption(
    flag(
      '--ordering',
      'also create or repair the schema vortex_ingest, in a database of the production migration runner too; see docs/promises.md',
    ).conflicts(['check', 'repairTimestamps']),
  )
  command.addOption(formatFlag()).addHelpText(
    'after',
    examples([
      ['migrate postgres://owner@db.example.com/bench', ''],
      ['migrate --check --postgres DSN', 'report differences, change nothing'],
      ['migrate --repair-timestamps --postgres DSN', 'may be interrupted and run again'],
      ['migrate', 'the embedded database'],
    ]),
  )
}

/** `migrate DSN` is short for `migrate --postgres DSN`. */
function takeDsn(command: Command): void {
  const [dsn] = command.args
  if (dsn === undefined) return
  if (command.getOptionValueSource('postgres') === 'cli') command.error('error: the database is named twice')
  command.setOptionValueWithSource('postgres', dsn, 'cli')
}
