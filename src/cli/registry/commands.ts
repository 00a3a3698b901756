/** `targets`, `buckets` and `journal`, with their flags and help. */

import { InvalidArgumentError, type Command, type Option } from 'commander'
import { examples } from '../examples.js'
import { age, flag, formatFlag, positive, regionFlag, rolePolicyFlag, stateFlag } from '../flags.js'
import type { RegistryAction } from './flags.js'
import * as actions from './lazy.js'

export type RunRegistry = (action: RegistryAction) => (...params: unknown[]) => Promise<void>

type Lines = readonly (readonly [string, string])[]

export function addRegistry(program: Command, run: RunRegistry): void {
  addTargets(program, run)
  addBuckets(program, run)
  addJournal(program, run)
}

function addTargets(program: Command, run: RunRegistry): void {
  const targets = program
    .command('targets')
    .summary('show and change where records go')
    .description('Registered targets: a push, drain or recover with their state and without target flags uses them.')
  const ls = targets
    .command('ls')
    .summary('list them: reachable, lag, last error, settings')
    .description(
      'Every registered target. Asks each whether it can be reached and lets us in, and writes nothing there.',
    )
    .addOption(flag('--no-check', 'ask no target'))
    .action(run(actions.targets.ls))
  finish(ls, [['targets ls --state s3://bench/state', '']])
  addTargetsAdd(targets, run)
  addTargetsChange(targets, run)
}

function addTargetsAdd(targets: Command, run: RunRegistry): void {
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
    .action(run(actions.targets.add))
  finish(add, [
    ['targets add site http https://ingest.example.com --secret-env INGEST_BEARER_TOKEN --state ~/bench-state', ''],
    ['targets add db postgres postgres://bench_ingest@db.example.com/bench --best-effort --state ~/bench-state', ''],
    ['targets add keep archive --bucket cold --state ~/bench-state', 'after buckets add cold'],
  ])
}

function addTargetsChange(targets: Command, run: RunRegistry): void {
  const rm = targets
    .command('rm')
    .summary('remove one: nothing is kept for it any more')
    .description('Also ends the wait for a target that only flags named, by the name that targets ls shows.')
    .argument('<name>', 'of a target')
    .action(run(actions.targets.rm))
  finish(rm, [['targets rm db --state ~/bench-state', '']])
  const test = targets
    .command('test')
    .summary('connect to one and log in')
    .description('What doctor says of it. Writes nothing.')
    .argument('<name>', 'of a target')
    .action(run(actions.targets.test))
  finish(test, [['targets test db --state ~/bench-state', '']])
  const set = targets
    .command('set')
    .summary('make one required, or best effort')
    .description('The cutover to a new path, and the way back. Writes a row of audit.')
    .argument('<name>', 'of a target')
    .addOption(flag('--required', 'its failure is the failure of a push'))
    .addOption(flag('--best-effort', 'its failure is told, and delays nothing'))
    .action(run(actions.targets.set))
  finish(set, [
    ['targets set db --required --state ~/bench-state', 'the cutover'],
    ['targets set db --best-effort --state ~/bench-state', 'the way back'],
  ])
}

function addBuckets(program: Command, run: RunRegistry): void {
  const buckets = program
    .command('buckets')
    .summary('show and change where objects lie')
    .description('Named places. primary and rescue lie in the state itself; rescue answers what others cannot.')
  const ls = buckets
    .command('ls')
    .summary('list them')
    .description('Every bucket: its backend, its root, and the targets that write to it.')
    .action(run(actions.buckets.ls))
  finish(ls, [['buckets ls --state ~/bench-state', '']])
  const add = buckets
    .command('add')
    .summary('add one')
    .description('A folder is made. A known name is refused.')
    .argument('<name>', 'lower-case letters, digits, - and _')
    .addOption(flag('--root <place>', 'a folder, s3://bucket/prefix, or memory:'))
    .action(run(actions.buckets.add))
  finish(add, [['buckets add cold --root s3://bench/archive --state ~/bench-state', '']])
  const rm = buckets
    .command('rm')
    .summary('remove one; its objects stay')
    .description('Refused for primary and rescue, and for one that a target writes to.')
    .argument('<name>', 'of a bucket')
    .action(run(actions.buckets.rm))
  finish(rm, [['buckets rm cold --state ~/bench-state', '']])
  addObjects(buckets, run)
}

function addObjects(buckets: Command, run: RunRegistry): void {
  const get = buckets
    .command('get')
    .summary('print an object')
    .description('What the bucket misses or fails with, rescue is asked for; stderr says so.')
    .argument('<bucket>', 'its name')
    .argument('<key>', 'names with / between them')
    .action(run(actions.buckets.get))
  finish(get, [['buckets get cold reports/2026.json --state ~/bench-state', '']])
  const put = buckets
    .command('put')
    .summary('store a file as an object')
    .description('In this bucket or nowhere.')
    .argument('<bucket>', 'its name')
    .argument('<key>', 'names with / between them')
    .argument('<file>', 'what to store')
    .action(run(actions.buckets.put))
  finish(put, [['buckets put cold reports/2026.json report.json --state ~/bench-state', '']])
}

function addJournal(program: Command, run: RunRegistry): void {
  const journal = program
    .command('journal')
    .summary('show what failed')
    .description('Failed operations on targets and buckets. Alone it is `journal show`.')
  const show = journal
    .command('show', { isDefault: true })
    .summary('list what failed, the newest first')
    .description('Every failed operation. Leaves out what is damaged, and says so (exit code 78).')
    .addOption(flag('--target <name>', 'only of this target or bucket'))
    .addOption(flag('--since <age>', 'only of this long, such as 2h, 90m, 30d').argParser(age))
    .addOption(flag('--limit <n>', 'at most so many (default: 50)').argParser(positive))
    .action(run(actions.journal.show))
  finish(show, [['journal --target db --since 2h --state ~/bench-state', '']])
  const flush = journal
    .command('flush')
    .summary('make durable what this process holds')
    .description('Commands write their events before they end, so that this finds none; a server is asked over HTTP.')
    .action(run(actions.journal.flush))
  finish(flush, [['journal flush --state ~/bench-state', '']])
  const compact = journal
    .command('compact')
    .summary('merge it into one object')
    .description('Drops what is older than 30 days, or beyond 10,000 events. Says how much there was, and is.')
    .action(run(actions.journal.compact))
  finish(compact, [['journal compact --state ~/bench-state', '']])
  const health = journal
    .command('health')
    .summary('how targets and buckets have been lately')
    .description('For each its errors in the last minutes, its last success, and what to think of it.')
    .addOption(flag('--minutes <n>', 'how far to look back (default: 5)').argParser(minutes))
    .action(run(actions.journal.health))
  finish(health, [['journal health --minutes 60 --state ~/bench-state', '']])
}

const MAX_MINUTES = 60 * 24 * 366

function minutes(text: string): number {
  const value = positive(text)
  if (value > MAX_MINUTES) throw new InvalidArgumentError('It cannot be more than a year.')
  return value
}

function finish(command: Command, lines: Lines): void {
  const options: readonly Option[] = [stateFlag(), formatFlag()]
  for (const option of options) command.addOption(option)
  command.addHelpText('after', examples(lines))
}
