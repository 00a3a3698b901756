/** Defines `export` with its flags and help. The command's implementation is loaded when it runs. */

import { Option, type Command } from 'commander'
import { CONTRACT } from '../../../contract/kinds.js'
import { addOptions, examples, flag, pastTime, readingFlags } from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'

export function addExport(program: Command, run: Run): void {
  const command = program
    .command('export')
    .summary('write stored records to files')
    .description(
      'Writes the records of a database, a server or an archive: as lines of JSON that `push` reads again with the same ids, or ' +
        'as CSV or Parquet with one file for each kind of record. Files appear when they are complete (docs/data.md).',
    )
    .action(run(lazy(async () => (await import('./action.js')).runExport)))
  addOptions(command, readingFlags())
  command
    .addOption(
      flag(
        '--from-archive <place>',
        'read this archive: a folder or s3://bucket/prefix, for a registered one the root of its bucket',
      ),
    )
    // It has no environment variable, because VORTEX_INGEST_COMMIT is the metadata file of a push.
    .addOption(new Option('--commit <sha>', 'only the records of this commit, a full id'))
    .addOption(flag('--group <name>', 'only the records of this chart, as its address names it'))
    .addOption(
      flag(
        '--since <time>',
        'only records of commits from this time on: a date, a time in RFC 3339, or an age such as 30d',
      ).argParser(pastTime),
    )
    .addOption(flag('--until <time>', 'only records of commits before this time').argParser(pastTime))
    .addOption(
      flag('--kind <kind>', 'only records of this kind, which are one file in any format').choices(
        CONTRACT.kinds.map(({ kind }) => kind),
      ),
    )
    .addOption(flag('--format <format>', 'format of the records').choices(['jsonl', 'csv', 'parquet']).default('jsonl'))
    .addOption(
      flag(
        '--output <place>',
        'write to this file, new folder or s3:// address, which appears when it is complete (default: stdout)',
      ),
    )
    .addHelpText(
      'after',
      examples([
        ['export --postgres DSN --format parquet --output measurements', 'one file for each kind'],
        ['export --postgres DSN --since 30d --kind query_measurement --format csv --output queries.csv', ''],
        ['export --from-archive s3://bench/archive --output records.jsonl', ''],
        ['vortex-ingest export --from-archive archive | vortex-ingest validate -', ''],
      ]),
    )
}
