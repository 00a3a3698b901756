/** Defines `targets` and its subcommands with their flags and help. Their implementation is loaded when they run. */

import type { Command } from 'commander'
import { TARGET_KINDS } from '../../../targets/kinds.js'
import { addOptions, examples, flag, registrationFlags } from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'
import { aboutState } from '../state/about-state.js'

const EXAMPLES = [
  ['targets add db postgres postgres://bench_ingest@db.example.com/bench --state ~/bench-state', ''],
  ['targets ls --state ~/bench-state', 'reachable, lag, last error, settings'],
] as const

export function addTargets(program: Command, run: Run): void {
  const targets = program
    .command('targets')
    .summary('list and change registered targets')
    .description('Registered targets: a push, drain or recover with their state and without target flags uses them.')
    .addHelpText('after', examples(EXAMPLES))
  const ls = targets
    .command('ls')
    .summary('list targets with reachability, lag, last error and settings')
    .description(
      'Lists every registered target and checks that it can be reached and accepts the login. Writes nothing.',
    )
    .addOption(flag('--no-check', 'do not contact the targets'))
    .action(run(lazy(async () => (await import('./list.js')).listTargetsCommand)))
  aboutState(ls, [['targets ls --state s3://bench/state', '']])
  addTargetsAdd(targets, run)
  addTargetsChange(targets, run)
}

function addTargetsAdd(targets: Command, run: Run): void {
  const add = targets
    .command('add')
    .summary('register a target')
    .description(
      'Fails if the name is registered, or if the address contains a secret: tokens and passwords stay in variables.',
    )
    .argument('<name>', 'lower-case letters, digits, - and _')
    .argument('<kind>', TARGET_KINDS.map(({ kind }) => kind).join(', '))
    .argument('[address]', 'a URL, a DSN without a password, a folder; none for an archive')
    .addOption(flag('--best-effort', 'a failure of the target does not fail a push (default: required)'))
    .action(run(lazy(async () => (await import('./action.js')).addTargetCommand)))
  addOptions(add, registrationFlags())
  aboutState(add, [
    ['targets add site server https://ingest.example.com --secret-env INGEST_BEARER_TOKEN --state ~/bench-state', ''],
    ['targets add db postgres postgres://bench_ingest@db.example.com/bench --best-effort --state ~/bench-state', ''],
    ['targets add keep archive --bucket cold --state ~/bench-state', 'after buckets add cold'],
  ])
}

function addTargetsChange(targets: Command, run: Run): void {
  const rm = targets
    .command('rm')
    .summary('remove a target and stop queueing records for it')
    .description('Also works for a target that was only given by flags; use the name that targets ls shows.')
    .argument('<name>', 'name of a target')
    .action(run(lazy(async () => (await import('./action.js')).removeTargetCommand)))
  aboutState(rm, [['targets rm db --state ~/bench-state', '']])
  const test = targets
    .command('test')
    .summary('connect to a target and log in')
    .description('Runs the checks of doctor for one target. Writes nothing.')
    .argument('<name>', 'name of a target')
    .action(run(lazy(async () => (await import('./action.js')).testTargetCommand)))
  aboutState(test, [['targets test db --state ~/bench-state', '']])
  const set = targets
    .command('set')
    .summary('make a target required or best effort')
    .description('Decides whether a failure of the target fails a push. Writes an audit row.')
    .argument('<name>', 'name of a target')
    .addOption(flag('--required', 'a failure of the target fails a push'))
    .addOption(flag('--best-effort', 'a failure of the target is reported and does not fail a push'))
    .action(run(lazy(async () => (await import('./action.js')).setTargetCommand)))
  aboutState(set, [
    ['targets set db --required --state ~/bench-state', 'the cutover'],
    ['targets set db --best-effort --state ~/bench-state', 'the way back'],
  ])
}
