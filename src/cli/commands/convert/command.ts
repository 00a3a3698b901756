/** Defines `convert` with its flags and help. The command's implementation is loaded when it runs. */

import type { Command } from 'commander'
import { OTHER_TOOLS } from '../../../source/other-tools.js'
import { examples, flag } from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'

export function addConvert(program: Command, run: Run): void {
  program
    .command('convert')
    .summary('make records of the output of other benchmark tools')
    .description(
      'Writes one record for each benchmark that another tool has measured, with all of its runs in nanoseconds. ' +
        'A map says how names become dimensions (docs/data.md).',
    )
    .argument('[files...]', 'files, globs, the folder target/criterion, or - for standard input; plain, gzip or zstd')
    .addOption(
      flag('--from <tool>', 'tool that wrote the files (default: recognised by their content)').choices(
        OTHER_TOOLS.map(({ from }) => from),
      ),
    )
    .addOption(flag('--map <file>', 'TOML file with the rules by which names become dimensions'))
    .addOption(
      flag('--commit <sha|file>', 'commit that was measured: a full id or a JSON file (default: from git or CI)'),
    )
    .addOption(flag('--output <file>', 'write to this file, which appears when it is complete (default: stdout)'))
    .addHelpText(
      'after',
      examples([
        ['convert target/criterion --output results.jsonl', ''],
        ['convert --from hyperfine times.json --map names.toml', ''],
        ['go test -bench . -count 10 ./... | vortex-ingest convert | vortex-ingest push -', ''],
      ]),
    )
    .action(run(lazy(async () => (await import('./action.js')).runConvert)))
}
