/** Defines `tune` and the commands for promotions with their flags and help. Their implementation is loaded when they run. */

import type { Command } from 'commander'
import { flag, positive } from '../flags.js'
import { lazy } from '../lazy.js'
import type { Run } from '../run.js'
import { aboutState } from '../state/about-state.js'
import { span } from './flags.js'

const targetFlag = flag('--target <name>', 'a registered target')
const byFlag = flag('--by <name>', 'who does it (default: user@host)')

export function addTune(program: Command, run: Run): void {
  const command = program
    .command('tune')
    .summary('find write settings by trying them')
    .description(
      'Delivers a sample to a registered database again and again, each time rolled back, new settings in turns with the ' +
        'best so far. Never tries the same twice. Changes nothing: promote does.',
    )
    .addOption(targetFlag)
    .addOption(flag('--sample <file>', 'records like those that are pushed there, best not there yet'))
    .addOption(flag('--trials <n>', 'at most so many (default: 8)').argParser(positive))
    .addOption(
      flag('--budget <time>', 'begin nothing new after this, such as 30s, 5m, 1h (default: 5m)').argParser(span),
    )
    .addOption(
      flag('--max-trials-per-hour <n>', 'over all runs; waits, or ends, when they are spent (default: 60)').argParser(
        positive,
      ),
    )
    .action(run(lazy(async () => (await import('./tune.js')).tune)))
  aboutState(command, [['tune --target db --sample results.jsonl --budget 10m --state ~/bench-state', '']])
}

export function addPromote(program: Command, run: Run): void {
  const command = program
    .command('promote')
    .summary("make a trial's settings those of its target")
    .description('The next delivery of any command uses them. Done again it changes nothing.')
    .addOption(targetFlag)
    .addOption(flag('--trial <id>', 'as tune and promotions show it, or how it begins'))
    .addOption(flag('--note <text>', 'why'))
    .addOption(byFlag)
    .action(run(lazy(async () => (await import('./promote.js')).promote)))
  aboutState(command, [['promote --target db --trial 0123456789ab --note "far from CI" --state ~/bench-state', '']])
}

export function addRollback(program: Command, run: Run): void {
  const command = program
    .command('rollback')
    .summary('go back to the settings before')
    .description('Those that were promoted before apply again, or else the defaults.')
    .addOption(targetFlag)
    .addOption(byFlag)
    .action(run(lazy(async () => (await import('./promote.js')).rollback)))
  aboutState(command, [['rollback --target db --state ~/bench-state', '']])
}

export function addPromotions(program: Command, run: Run): void {
  const command = program
    .command('promotions')
    .summary('show what was promoted, and what was tried')
    .description('For each target the settings in force, who promoted what, when and why, and its trials.')
    .addOption(targetFlag)
    .action(run(lazy(async () => (await import('./promotions.js')).promotions)))
  aboutState(command, [['promotions --target db --state ~/bench-state', '']])
}
