/** Defines `delete` with its flags and help. The command's implementation is loaded when it runs. */

import { Option, type Command } from 'commander'
import { addOptions, databaseFlags, declaredFlag, examples, flag, formatFlag, stateFlag } from '../../options/flags.js'
import { ARCHIVE_OPTIONS } from '../../../targets/archive/options.js'
import { SERVER_OPTIONS } from '../../../targets/server/options.js'
import { lazy, type Run } from '../../run.js'

export function addDelete(program: Command, run: Run): void {
  const command = program
    .command('delete')
    .summary('delete the records of a commit from a database')
    .description(
      'Deletes all records of a commit, or those of one CI run, in one transaction, and records who did it and why. Needs a role with ' +
        'DELETE, such as bench_delete, and asks before it deletes (docs/data.md).',
    )
    .action(run(lazy(async () => (await import('./action.js')).runDelete)))
  addOptions(command, databaseFlags())
  command
    // Named so that the refusal says why.
    .addOption(declaredFlag('server', SERVER_OPTIONS.server).hideHelp())
    .addOption(declaredFlag('archive', ARCHIVE_OPTIONS.archive).hideHelp())
    // They have no environment variables, because VORTEX_INGEST_COMMIT is the metadata file of a push.
    .addOption(new Option('--commit <sha>', 'commit to delete, a full id').makeOptionMandatory())
    .addOption(
      new Option(
        '--run <run>',
        'only what this CI run wrote last: its benchmark id, its number, or its number and attempt such as 7.2',
      ),
    )
    .addOption(flag('--reason <text>', 'why the records are deleted, for the record of the deletion'))
    .addOption(new Option('--yes', 'delete without asking'))
    .addOption(new Option('--dry-run', 'only count the records'))
    .addOption(stateFlag())
    .addOption(formatFlag())
    .addHelpText(
      'after',
      examples([
        ['delete --commit SHA --postgres DSN --dry-run', 'how many records are there'],
        ['delete --commit SHA --postgres DSN --state s3://bench/state --reason "wrong machine"', ''],
        ['delete --commit SHA --run 7.2 --postgres DSN --yes', 'only one attempt of a CI run'],
      ]),
    )
}
