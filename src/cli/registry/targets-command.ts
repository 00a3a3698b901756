/** Defines `targets` and its subcommands with their flags and help. Their implementation is loaded when they run. */

import type { Command } from 'commander'
import { examples } from '../examples.js'
import { flag, regionFlag, rolePolicyFlag } from '../flags.js'
import { lazy } from '../lazy.js'
import type { Run } from '../run.js'
import { aboutState } from '../state/about-state.js'

const EXAMPLES = [
  ['targets add db postgres postgres://bench_ingest@db.example.com/bench --state ~/bench-state', ''],
  ['targets ls --state ~/bench-state', 'reachable, lag, last error, settings'],
] as const

export function addTargets(program: Command, run: Run): void {
  const targets = program
    .command('targets')
    .summary('show and change where records go')
    .description('Registered targets: a push, drain or recover with their state and without target flags uses them.')
    .addHelpText('after', examples(EXAMPLES))
  const ls = targets
    .command('ls')
    .summary('list them: reachable, lag, last error, settings')
    .description(
      'Every registered target. Asks each whether it can be reached and lets us in, and writes nothing there.',
    )
    .addOption(flag('--no-check', 'ask no target'))
    .action(run(lazy(async () => (await import('./targets-ls.js')).ls)))
  aboutState(ls, [['targets ls --state s3://bench/state', '']])
  addTargetsAdd(targets, run)
  addTargetsChange(targets, run)
}

function addTargetsAdd(targets: Command, run: Run): void {
  const add = targets
    .command('add')
    .summary('register one')
    .description('A known name is refused, and so is a secret: tokens and passwords stay in a variable.')
    .argument('<name>', 'lower-case letters, digits, - and _')
    .argument('<kind>', 'http, postgres, embedded or archive')
    .argument('[address]', 'a URL, a DSN without a password, a folder; none for an archive')
    .addOption(flag('--secret-env <name>', 'the variable that holds its token (http) or password (postgres)'))
    .addOption(flag('--best-effort', 'its failure is not the failure of a push; default: required'))
    .addOption(flag('--bucket <name>', 'where an archive writes to: a bucket that was added'))
    .addOption(flag('--insecure-local', 'no TLS and any role: only for a Postgres on this machine'))
    .addOption(rolePolicyFlag())
    .addOption(regionFlag())
    .action(run(lazy(async () => (await import('./targets.js')).add)))
  aboutState(add, [
    ['targets add site http https://ingest.example.com --secret-env INGEST_BEARER_TOKEN --state ~/bench-state', ''],
    ['targets add db postgres postgres://bench_ingest@db.example.com/bench --best-effort --state ~/bench-state', ''],
    ['targets add keep archive --bucket cold --state ~/bench-state', 'after buckets add cold'],
  ])
}

function addTargetsChange(targets: Command, run: Run): void {
  const rm = targets
    .command('rm')
    .summary('remove one: nothing is kept for it any more')
    .description('Also ends the wait for a target that only flags named, by the name that targets ls shows.')
    .argument('<name>', 'of a target')
    .action(run(lazy(async () => (await import('./targets.js')).rm)))
  aboutState(rm, [['targets rm db --state ~/bench-state', '']])
  const test = targets
    .command('test')
    .summary('connect to one and log in')
    .description('What doctor says of it. Writes nothing.')
    .argument('<name>', 'of a target')
    .action(run(lazy(async () => (await import('./targets-test.js')).test)))
  aboutState(test, [['targets test db --state ~/bench-state', '']])
  const set = targets
    .command('set')
    .summary('make one required, or best effort')
    .description('The cutover to a new path, and the way back. Writes a row of audit.')
    .argument('<name>', 'of a target')
    .addOption(flag('--required', 'its failure is the failure of a push'))
    .addOption(flag('--best-effort', 'its failure is told, and delays nothing'))
    .action(run(lazy(async () => (await import('./targets.js')).set)))
  aboutState(set, [
    ['targets set db --required --state ~/bench-state', 'the cutover'],
    ['targets set db --best-effort --state ~/bench-state', 'the way back'],
  ])
}
