/** Defines `compare` with its flags and help. The command's implementation is loaded when it runs. */

import { InvalidArgumentError, Option, type Command } from 'commander'
import type { Control } from '../../../analysis/noise-rows.js'
import { DEFAULT_THRESHOLD, seriesDimensions } from '../../../analysis/series.js'
import { CONTRACT } from '../../../contract/kinds.js'
import { examples, addOptions, flag, readingFlags, parseRatio } from '../../options/flags.js'
import { publishFlags } from './publish-flags.js'
import { lazy, type Run } from '../../run.js'

export function addCompare(program: Command, run: Run): void {
  const command = program
    .command('compare')
    .summary('report changes between two commits')
    .description(
      'Divides the value of each series at HEAD by that at BASE, and tests whether the change is more than noise within runs and ' +
        'between jobs, as the commits before BASE show it (docs/compare.md). The verdict is changed, no change or inconclusive. ' +
        'Only reads. -v lists every series, also those that only one commit has.',
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
    .addOption(
      flag('--threshold <ratio>', 'smallest ratio that counts as a change')
        .argParser(parseRatio)
        .default(DEFAULT_THRESHOLD),
    )
    .addOption(
      flag(
        '--control <dimension=value>',
        'series that the change cannot touch, such as format=parquet; may be repeated',
      ).argParser(addControl),
    )
    .addOption(
      flag('--fail-on <what>', 'exit 5 on a regression, and 6 if it is inconclusive or nothing is comparable').choices([
        'regression',
      ]),
    )
    .addOption(flag('--git-dir <dir>', 'git repository in which names are resolved (default: found by git)'))
    .addOption(compareFormat())
  addOptions(command, publishFlags())
  command.addHelpText(
    'after',
    examples([
      ['compare', 'the newest stored commit of this branch against its nearest stored ancestor'],
      ['compare 1f0c3b7', 'the newest stored commit of this branch against 1f0c3b7'],
      ['compare --baseline merge-base', 'against where this branch left the main branch'],
      ['compare --server https://ingest.example.com', 'through the read API of a server'],
      ['compare main HEAD --postgres DSN', 'by names that git knows'],
      ['compare main HEAD --fail-on regression --threshold 1.2', 'in CI: 5 when a series got slower or larger'],
      ['compare main HEAD --control format=parquet', 'when HEAD cannot have changed how Parquet is read'],
      ['compare main HEAD --format markdown >> "$GITHUB_STEP_SUMMARY"', ''],
    ]),
  )
}

const baselineFlag = (): Option =>
  flag(
    '--baseline <which>',
    'how BASE is found: parent (the nearest stored ancestor), merge-base (the nearest stored ancestor on the main branch), ' +
      'latest (the newest stored commit of the main branch) or a commit; the only argument is then HEAD (default: parent)',
  )

const compareFormat = (): Option =>
  flag('--format <format>', 'how to print the result').choices(['human', 'json', 'markdown']).default('human')

/** Parses `dimension=value` and appends it to the controls before. */
function addControl(text: string, before: readonly Control[] = []): readonly Control[] {
  const [, dimension = '', value = ''] = /^([^=]+)=(.+)$/s.exec(text) ?? []
  const known = new Set(CONTRACT.kinds.flatMap(kind => seriesDimensions(kind).map(({ name }) => name)))
  if (!known.has(dimension))
    throw new InvalidArgumentError(`It must be DIMENSION=VALUE with one of ${[...known].join(', ')}.`)
  return [...before, { dimension, value }]
}
