/** Defines `lineage` with its flags and help. The command's implementation is loaded when it runs. */

import type { Command } from 'commander'
import { addOptions, declaredFlag, examples, flag, formatFlag, readingFlags } from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'

export function addLineage(program: Command, run: Run): void {
  const command = program
    .command('lineage')
    .summary('say where a stored value comes from')
    .description(
      'Lists the deliveries that wrote a measurement, or all measurements of a commit, the newest first: the CI run and its web page, ' +
        'the source files with their hashes and lines, the program and contract version, and when (docs/lineage.md). Only reads.',
    )
    .argument('<id-or-commit>', 'measurement_id, or a commit: its id, the first digits, or a name that git knows')
    .action(run(lazy(async () => (await import('./action.js')).runLineage)))
  addOptions(command, readingFlags())
  command
    .addOption(declaredFlag('state', { value: '<place>', help: 'read this state: a folder or s3://bucket/prefix' }))
    .addOption(flag('--archive <place>', 'read this archive: a folder or s3://bucket/prefix'))
    .addOption(flag('--git-dir <dir>', 'git repository that knows the names of commits (default: found by git)'))
    .addOption(formatFlag())
    .addHelpText(
      'after',
      examples([
        ['lineage 4386021884501279113 --postgres DSN', 'vortex-ingest id FILE prints ids'],
        ['lineage -4386021884501279113', 'in the embedded database in this folder'],
        ['lineage 1f0c3b7 --server https://bench.example.com', 'all deliveries of a commit'],
        ['lineage 1f0c3b7 --archive s3://bench/archive', ''],
      ]),
    )
}
