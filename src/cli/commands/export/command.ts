/** Defines `export` with its flags and help. The command's implementation is loaded when it runs. */

import { Option, type Command } from 'commander'
import { examples, flag } from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'

export function addExport(program: Command, run: Run): void {
  program
    .command('export')
    .summary('write stored records as lines')
    .description(
      'Writes the newest record of each measurement, as one line of JSON that `push` reads again with the same ids ' +
        '(docs/archive.md). For a registered archive target, give the root of its bucket.',
    )
    .addOption(flag('--from-archive <place>', 'read this archive: a folder or s3://bucket/prefix'))
    // It has no environment variable, because VORTEX_INGEST_COMMIT is the metadata file of a push.
    .addOption(new Option('--commit <sha>', 'only the records of this commit, a full id'))
    .addOption(flag('--format <format>', 'format of the records').choices(['jsonl']).default('jsonl'))
    .addOption(flag('--output <file>', 'write to this file, which appears when it is complete (default: stdout)'))
    .addHelpText(
      'after',
      examples([
        ['export --from-archive s3://bench/archive --output records.jsonl', ''],
        ['vortex-ingest export --from-archive archive | vortex-ingest validate -', ''],
      ]),
    )
    .action(run(lazy(async () => (await import('./action.js')).runExport)))
}
