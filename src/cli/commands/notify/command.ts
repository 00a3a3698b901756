/** Defines `notify` with its flags and help. The command's implementation is loaded when it runs. */

import type { Command } from 'commander'
import { addOptions, examples, flag, formatFlag } from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'
import { selectionFlags } from '../changes/command.js'

export function addNotify(program: Command, run: Run): void {
  const command = program
    .command('notify')
    .summary('post new regressions to a webhook')
    .description(
      'Posts the regressions that `changes` finds and that nobody has accepted, as JSON with a text for Slack. Posts nothing ' +
        'when there are none. Every run posts a regression again until it is accepted.',
    )
    .action(run(lazy(async () => (await import('./action.js')).runNotify)))
  addOptions(command, selectionFlags())
  command
    .addOption(
      flag(
        '--webhook <url>',
        'URL to post to; it is a secret, so set the variable and not the flag',
      ).makeOptionMandatory(),
    )
    .addOption(formatFlag())
    .addHelpText(
      'after',
      examples([
        ['notify --server https://bench.example.com', 'every night, with the URL in VORTEX_INGEST_WEBHOOK'],
        ['notify --postgres DSN --since v1.2', 'only changes after a commit'],
      ]),
    )
}
