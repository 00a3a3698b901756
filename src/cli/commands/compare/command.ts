/** Defines `compare` with its flags and help. The command's implementation is loaded when it runs. */

import { InvalidArgumentError, Option, type Command } from 'commander'
import { examples, addOptions, flag, readingFlags } from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'

export function addCompare(program: Command, run: Run): void {
  const command = program
    .command('compare')
    .summary('report changes between two commits')
    .description(
      'For each series the ratio of the medians, HEAD over BASE, and whether the change is real: a rank test over the ' +
        'runs, corrected for the number of series (docs/compare.md). Only reads. With -v every series is listed, and those ' +
        'that only one commit has.',
    )
    .argument(
      '[base]',
      'stored commit: its id, the start of its id, or a name that git can resolve (default: see --baseline)',
    )
    .argument('[head]', 'stored commit to compare with BASE (default: the newest stored commit of the history of HEAD)')
    .action(run(lazy(async () => (await import('./action.js')).runCompare)))
  addOptions(command, readingFlags())
  command
    .addOption(baselineFlag())
    .addOption(flag('--threshold <ratio>', 'smallest ratio that counts as a change').argParser(ratio).default(1.1))
    .addOption(
      flag('--fail-on <what>', 'exit 4 on a regression, or if there is nothing to compare').choices(['regression']),
    )
    .addOption(flag('--git-dir <dir>', 'git repository in which names are resolved (default: found by git)'))
    .addOption(compareFormat())
    .addHelpText(
      'after',
      examples([
        ['compare', 'the newest stored commit of this branch against its nearest stored ancestor'],
        ['compare 1f0c3b7', 'the newest stored commit of this branch against that one'],
        ['compare --baseline merge-base', 'against where this branch left the main branch'],
        ['compare --server https://ingest.example.com', 'through the read API of a server'],
        ['compare main HEAD --postgres DSN', 'by names that git knows'],
        ['compare main HEAD --fail-on regression --threshold 1.2', 'in CI: 4 when a series got slower or larger'],
        ['compare main HEAD --format markdown >> "$GITHUB_STEP_SUMMARY"', ''],
      ]),
    )
}

const baselineFlag = (): Option =>
  flag(
    '--baseline <which>',
    'how BASE is found, and then the only argument is HEAD: parent (the nearest stored ancestor), merge-base (the nearest ' +
      'stored ancestor on the main branch), latest (the newest stored commit of the main branch) or an id (default: parent)',
  )

const compareFormat = (): Option =>
  flag('--format <format>', 'how to print the result').choices(['human', 'json', 'markdown']).default('human')

/** Parses a ratio above 1. A threshold of 1 would report all noise as changes. */
function ratio(text: string): number {
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || !(value > 1) || !Number.isFinite(value))
    throw new InvalidArgumentError('it must be a number above 1, such as 1.1.')
  return value
}
