/** Defines `completion` with its flags and help. The command's implementation is loaded when it runs. */

import { Option, type Command } from 'commander'
import type { AllCommands } from '../../context.js'
import { examples } from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'

export function addCompletion(program: Command, run: Run, all: AllCommands): void {
  program
    .command('completion')
    .summary('print a shell completion script')
    .description(
      'Prints a completion script. It completes commands, flags, their choices, files, profiles of the config file, and ' +
        'the names of targets, buckets and trials in the state of --state, VORTEX_INGEST_STATE or that file.',
    )
    .argument('[words...]', 'bash, zsh or fish')
    // Not made by `flag`, so that no environment variable can set it and replace the script by candidates.
    .addOption(new Option('--query', 'used by the script: print the candidates for the last word'))
    .addHelpText(
      'after',
      examples([
        ['completion bash > ~/.local/share/bash-completion/completions/vortex-ingest', ''],
        ['completion zsh > "${fpath[1]}/_vortex-ingest"', ''],
        ['completion fish > ~/.config/fish/completions/vortex-ingest.fish', ''],
      ]),
    )
    .action(run(lazy(async () => (await import('./action.js')).completion(program, all))))
}
