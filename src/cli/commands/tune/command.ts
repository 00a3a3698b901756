/** Defines `tune` and the commands for promotions with their flags and help. Their implementation is loaded when they run. */

import type { Command } from 'commander'
import { flag, positive, span } from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'
import { aboutState } from '../state/about-state.js'

const targetFlag = flag('--target <name>', 'registered target')
const byFlag = flag('--by <name>', 'name to record as the author (default: user@host)')

export function addTune(program: Command, run: Run): void {
  const command = program
    .command('tune')
    .summary('measure write settings and find faster ones')
    .description(
      'Delivers a sample to a registered database repeatedly and rolls every delivery back. New settings alternate with ' +
        'the best so far. Settings are never tried twice. Nothing changes until you promote a trial.',
    )
    .addOption(targetFlag)
    .addOption(flag('--sample <file>', 'file with typical records, preferably not stored in the target yet'))
    .addOption(flag('--trials <n>', 'maximum number of trials (default: 8)').argParser(positive))
    .addOption(
      flag('--budget <time>', 'start no new trial after this time, such as 30s, 5m or 1h (default: 5m)').argParser(
        span,
      ),
    )
    .addOption(
      flag(
        '--max-trials-per-hour <n>',
        'limit over all runs; at the limit tune waits or stops (default: 60)',
      ).argParser(positive),
    )
    .action(run(lazy(async () => (await import('./action.js')).runTune)))
  aboutState(command, [['tune --target db --sample results.jsonl --budget 10m --state ~/bench-state', '']])
}

export function addPromote(program: Command, run: Run): void {
  const command = program
    .command('promote')
    .summary("apply a trial's settings to its target")
    .description('The next delivery of any command uses them. Promoting the same trial again changes nothing.')
    .addOption(targetFlag)
    .addOption(flag('--trial <id>', 'id of the trial, or the start of its id'))
    .addOption(flag('--note <text>', 'reason for the promotion'))
    .addOption(byFlag)
    .action(run(lazy(async () => (await import('./promotions.js')).runPromote)))
  aboutState(command, [['promote --target db --trial 0123456789ab --note "far from CI" --state ~/bench-state', '']])
}

export function addRollback(program: Command, run: Run): void {
  const command = program
    .command('rollback')
    .summary('restore the previous write settings of a target')
    .description('The settings that were promoted before apply again, otherwise the defaults.')
    .addOption(targetFlag)
    .addOption(byFlag)
    .action(run(lazy(async () => (await import('./promotions.js')).runRollback)))
  aboutState(command, [['rollback --target db --state ~/bench-state', '']])
}

export function addPromotions(program: Command, run: Run): void {
  const command = program
    .command('promotions')
    .summary('list promotions and trials')
    .description('Shows for each target the settings in force, who promoted which trial, when and why, and all trials.')
    .addOption(targetFlag)
    .action(run(lazy(async () => (await import('./promotions.js')).promotions)))
  aboutState(command, [['promotions --target db --state ~/bench-state', '']])
}
