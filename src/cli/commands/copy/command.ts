/** Defines `copy` with its flags and help. The command's implementation is loaded when it runs. */

import { Option, type Command } from 'commander'
import { COMMIT_OPTIONS } from '../../../config/commit.js'
import { ENV_PREFIX } from '../../../config/environment.js'
import { CONTRACT } from '../../../contract/kinds.js'
import {
  addOptions,
  copyFlags,
  declaredFlag,
  downgradeFlag,
  examples,
  flag,
  formatFlag,
  pastTime,
  reportFlag,
  stateFlag,
} from '../../options/flags.js'
import { withReportFile } from '../../output/report-file.js'
import { lazy, type Run } from '../../run.js'

export function addCopy(program: Command, run: Run): void {
  const command = program
    .command('copy')
    .summary('copy the history of one place to another')
    .description(
      'Copies stored records and their commits, commit by commit, and compares every value at the end (docs/data.md). The id of ' +
        'every row is computed again. A row whose stored id differs is reported and not copied. Copied records never replace ' +
        'what a push has delivered. A copy can be repeated at any time.',
    )
    .addOption(
      // Its variable is its own, because VORTEX_INGEST_FROM names the tool of `convert`.
      new Option(
        '--from <source>',
        'source: a DSN of Postgres, MySQL or MariaDB, the URL of a server, or the path of an embedded database, a DuckDB file, an archive or a file of records',
      ).env(`${ENV_PREFIX}COPY_FROM`),
    )
    .addOption(
      new Option(
        '--to <target>',
        'target: a postgres:// DSN, the URL of a server, or the folder of an embedded database',
      ).env(`${ENV_PREFIX}COPY_TO`),
    )
    .addOption(
      flag('--since <time>', 'only commits of this time or later: a date, a time, or an age such as 30d').argParser(
        pastTime,
      ),
    )
    .addOption(flag('--until <time>', 'only commits before this time').argParser(pastTime))
    .addOption(
      flag('--kind <kind>', 'only records of this kind; their commits are copied, too').choices(
        CONTRACT.kinds.map(({ kind }) => kind),
      ),
    )
    .addOption(
      flag('--trust-ids', 'write rows under their stored ids, also where those are not the ids of their dimensions'),
    )
    .addOption(flag('--no-verify', 'do not compare the copied records with the rows of the target at the end'))
    .addOption(
      flag(
        '--commits <file>',
        'for an archive or a file: commits as lines of JSON, used instead of git (docs/data.md)',
      ),
    )
    .addOption(declaredFlag('gitDir', COMMIT_OPTIONS.gitDir))
    .addOption(declaredFlag('repoUrl', COMMIT_OPTIONS.repoUrl))
    .addOption(stateFlag())
    .action(run(withReportFile(lazy(async () => (await import('./action.js')).runCopy))))
  addOptions(command, copyFlags())
  command
    .addOption(downgradeFlag())
    .addOption(formatFlag())
    .addOption(reportFlag())
    .addHelpText(
      'after',
      examples([
        ['copy --from .vortex-ingest --to postgres://bench_ingest@db.example.com/bench', 'from a laptop into Postgres'],
        [
          'copy --from postgres://bench_read@old.example.com/bench --to DSN --since 2021-01-01 --state copy-state',
          'continues after an interruption',
        ],
      ]),
    )
}
