/** The commands about trials and promotions, with their flags and help. */

import type { Command } from 'commander'
import { examples } from '../examples.js'
import { flag, formatFlag, positive, stateFlag } from '../flags.js'
import { span, type TuningAction } from './flags.js'

/** Loaded when they run: pushes need none of them. */
const tune: TuningAction = async (...params) => (await import('./tune.js')).tune(...params)
const promote: TuningAction = async (...params) => (await import('./promote.js')).promote(...params)
const rollback: TuningAction = async (...params) => (await import('./promote.js')).rollback(...params)
const promotions: TuningAction = async (...params) => (await import('./promotions.js')).promotions(...params)

export type RunTuning = (action: TuningAction) => (...params: unknown[]) => Promise<void>

const targetFlag = flag('--target <name>', 'a registered target')
const byFlag = flag('--by <name>', 'who does it (default: user@host)')

export function addTuning(program: Command, run: RunTuning): void {
  addTune(program, run)
  addPromotions(program, run)
}

function addTune(program: Command, run: RunTuning): void {
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
    .action(run(tune))
  finish(command, [['tune --target db --sample results.jsonl --budget 10m --state ~/bench-state', '']])
}

function addPromotions(program: Command, run: RunTuning): void {
  const make = program
    .command('promote')
    .summary("make a trial's settings those of its target")
    .description('The next delivery of any command uses them. Done again it changes nothing.')
    .addOption(targetFlag)
    .addOption(flag('--trial <id>', 'as tune and promotions show it'))
    .addOption(flag('--note <text>', 'why'))
    .addOption(byFlag)
    .action(run(promote))
  finish(make, [['promote --target db --trial 0123456789ab --note "far from CI" --state ~/bench-state', '']])
  const undo = program
    .command('rollback')
    .summary('go back to the settings before')
    .description('Those that were promoted before apply again, or else the defaults.')
    .addOption(targetFlag)
    .addOption(byFlag)
    .action(run(rollback))
  finish(undo, [['rollback --target db --state ~/bench-state', '']])
  const show = program
    .command('promotions')
    .summary('show what was promoted, and what was tried')
    .description('For each target the settings in force, who promoted what, when and why, and its trials.')
    .addOption(targetFlag)
    .action(run(promotions))
  finish(show, [['promotions --target db --state ~/bench-state', '']])
}

function finish(command: Command, lines: readonly (readonly [string, string])[]): void {
  command.addOption(stateFlag()).addOption(formatFlag()).addHelpText('after', examples(lines))
}
