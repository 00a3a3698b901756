/** Defines `changes` and its subcommands with their flags and help. Their implementation is loaded when they run. */

import type { Command } from 'commander'
import {
  addOptions,
  declaredFlag,
  examples,
  flag,
  formatFlag,
  parseRatio,
  readingFlags,
  serverTokenFlags,
} from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'

const acceptedStateFlag = () =>
  declaredFlag('state', {
    value: '<place>',
    help: 'keep accepted changes beside this state: a folder or s3://bucket/prefix',
  })
const gitDirFlag = () => flag('--git-dir <dir>', 'git repository that knows the history (default: found by git)')
/** Flags that select the history and the changes. */
export const selectionFlags = () => [
  ...readingFlags(),
  acceptedStateFlag(),
  flag('--head <commit>', 'newest commit of the history (default: HEAD, otherwise the newest stored commit)'),
  flag('--since <commit>', 'list only changes after this stored commit'),
  flag('--group <words>', 'only groups whose name has these words, such as "tpch 10 nvme"; * is any text'),
  flag('--threshold <ratio>', 'smallest ratio that counts as a change').argParser(parseRatio).default(1.02),
  gitDirFlag(),
]
const byFlag = () => flag('--by <name>', 'name to record as the author (default: user@host)')

export function addChanges(program: Command, run: Run): void {
  const changes = program
    .command('changes')
    .summary('find the commits that changed measurements for good')
    .description(
      'Finds change points in every series along the first-parent history. `changes` alone runs `changes show`; `changes show --help` ' +
        'lists its flags.',
    )
    .addHelpText(
      'after',
      examples([
        ['changes --fail-on new', 'in CI: 5 when a commit made a series slower or larger'],
        ['changes accept 1f0c3b7 --note "checks every page"', 'a known change does not fail again'],
      ]),
    )
  addShow(changes, run)
  addAccept(changes, run)
  addAccepted(changes, run)
  addWithdraw(changes, run)
}

function addShow(changes: Command, run: Run): void {
  const show = changes
    .command('show', { isDefault: true })
    .summary('list change points by commit, the worst first')
    .description(
      'Lists the commits at which series changed their level, with size and confidence, the worst first (docs/changes.md). ' +
        'Noise that all series of a machine share is removed first. A lone outlier is not a change. Only reads. With -v every series is listed.',
    )
    .action(run(lazy(async () => (await import('./action.js')).runChanges)))
  addOptions(show, selectionFlags())
  show
    .addOption(flag('--fail-on <what>', 'exit 5 on a regression that is not accepted').choices(['new']))
    .addOption(
      flag('--format <format>', 'how to print the result').choices(['human', 'json', 'markdown']).default('human'),
    )
    .addHelpText(
      'after',
      examples([
        ['changes', 'in the embedded database in this folder'],
        ['changes --server https://bench.example.com --since v1.2 --fail-on new', 'in CI'],
        ['changes --group "tpch 10" --format markdown >> "$GITHUB_STEP_SUMMARY"', ''],
      ]),
    )
}

function addAccept(changes: Command, run: Run): void {
  const accept = changes
    .command('accept')
    .summary('record that a change is known, so that it does not fail again')
    .description(
      'Records who accepted the change of a commit, when and why, in the schema vortex_ingest of the database, also through a ' +
        'server, or beside a state. All series of the commit are accepted unless --series names some.',
    )
    .argument('<commit>', 'commit that made the change, as `changes` names it')
    .addOption(
      flag(
        '--series <pattern>',
        'accept only series with these words, such as "tpch * q7"; * is any text; may be repeated',
      ).argParser(collect),
    )
    .addOption(flag('--note <text>', 'why the change is accepted').makeOptionMandatory())
    .addOption(byFlag())
    .addOption(gitDirFlag())
    .action(run(lazy(async () => (await import('./accepted.js')).runAccept)))
  addOptions(accept, serverTokenFlags())
  addReading(accept, [['changes accept 1f0c3b7 --series "tpch * q7" --note "reads every page"', '']])
}

function addAccepted(changes: Command, run: Run): void {
  const accepted = changes
    .command('accepted')
    .summary('list accepted changes')
    .description('Lists accepted changes, newest first, also those that were withdrawn.')
    .action(run(lazy(async () => (await import('./accepted.js')).runAccepted)))
  addReading(accepted, [['changes accepted --postgres DSN', '']])
}

function addWithdraw(changes: Command, run: Run): void {
  const withdraw = changes
    .command('withdraw')
    .summary('withdraw an accepted change, so that it counts as new again')
    .description('The accepted change stays in the list, with who withdrew it and when.')
    .argument('<name>', 'id of the accepted change, or the start of the id of its commit')
    .addOption(byFlag())
    .action(run(lazy(async () => (await import('./accepted.js')).runWithdraw)))
  addOptions(withdraw, serverTokenFlags())
  addReading(withdraw, [['changes withdraw 1f0c3b7', '']])
}

function addReading(command: Command, lines: Parameters<typeof examples>[0]): void {
  addOptions(command, [...readingFlags(), acceptedStateFlag(), formatFlag()])
  command.addHelpText('after', examples(lines))
}

function collect(value: string, values: readonly string[] | undefined): readonly string[] {
  return [...(values ?? []), value]
}
