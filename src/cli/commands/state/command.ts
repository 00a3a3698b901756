/** Defines `state` and its subcommands with their flags and help. Their implementation is loaded when they run. */

import type { Command } from 'commander'
import { examples, age, flag } from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'
import { aboutState } from './about-state.js'

const dryRunFlag = flag('--dry-run', 'change nothing; print what would be done')

export function addState(program: Command, run: Run): void {
  const state = program
    .command('state')
    .summary('inspect, clean up and move a state')
    .description('A state stores queued records (the outbox) and which of them each target has received.')
    .addHelpText(
      'after',
      examples([
        ['state ls --state ~/bench-state', ''],
        ['state prune --state ~/bench-state', ''],
      ]),
    )
  addReading(state, run)
  addMoving(state, run)
  addTidying(state, run)
  addRejects(state, run)
}

function addReading(state: Command, run: Run): void {
  const ls = state
    .command('ls')
    .summary('list the objects of a state')
    .description('Lists every object of a state with its size. Also works on a damaged state.')
    .argument('[prefix]', 'list only keys that begin with this prefix')
    .action(run(lazy(async () => (await import('./objects.js')).runStateList)))
  aboutState(ls, [
    ['state ls --state ~/bench-state', ''],
    ['state ls intents/ --state s3://bench/state', 'running and interrupted deliveries'],
  ])
  const show = state
    .command('get')
    .summary('print an object of a state')
    .description('Prints an object unchanged. Also works on a damaged state.')
    .argument('<key>', 'as `state ls` shows it')
    .action(run(lazy(async () => (await import('./objects.js')).runStateGet)))
  aboutState(show, [['state get intents/01jz9w2x3y4z5a6b7c8d9e0f1g --state ~/bench-state', '']])
}

function addRejects(state: Command, run: Run): void {
  const rejects = state
    .command('rejects')
    .summary('list, export or remove rejected lines')
    .description('Lines that pushes with --on-error reject have rejected, byte for byte, and the reasons.')
    .addHelpText(
      'after',
      examples([
        ['state rejects ls --state ~/bench-state', ''],
        ['state rejects export rejects.jsonl --state ~/bench-state', 'repair the file and push it'],
      ]),
    )
  const ls = rejects
    .command('ls')
    .summary('list rejected lines')
    .description('Lists the rejected lines of each push: id, time, number, commit and inputs.')
    .action(run(lazy(async () => (await import('./rejects.js')).runRejectsList)))
  aboutState(ls, [['state rejects ls --state ~/bench-state', '']])
  const save = rejects
    .command('export')
    .summary('write rejected lines into a file')
    .description(
      'Writes the lines byte for byte into a new file, and the reasons into FILE.reasons.jsonl. Push the repaired file with ' +
        'the same --state: its lines are delivered, and then no longer listed as rejected.',
    )
    .argument('<file>', 'a new file')
    .argument('[ids...]', 'as `state rejects ls` shows them; all of them if none is given')
    .action(run(lazy(async () => (await import('./rejects.js')).runRejectsExport)))
  aboutState(save, [['state rejects export rejects.jsonl --state ~/bench-state', '']])
  const remove = rejects
    .command('rm')
    .summary('remove rejected lines that nobody will repair')
    .description('Removes rejected lines from the state and writes an audit row.')
    .argument('<ids...>', 'as `state rejects ls` shows them')
    .action(run(lazy(async () => (await import('./rejects.js')).runRejectsRemove)))
  aboutState(remove, [['state rejects rm 0f1e2d3c4b5a69788796 --state ~/bench-state', '']])
}

function addMoving(state: Command, run: Run): void {
  const save = state
    .command('export')
    .summary('write a state into one file')
    .description(
      'Writes one line of JSON per object, including damaged ones, and a last line with the number of objects. Run it while ' +
        'no other command uses the state, because objects that are written meanwhile may be missing.',
    )
    .argument('<file>', 'a new file')
    .action(run(lazy(async () => (await import('./export-import.js')).runStateExport)))
  aboutState(save, [['state export state.jsonl --state ~/bench-state', '']])
  const load = state
    .command('import')
    .summary('restore a state from an exported file')
    .description('Validates the whole file before it writes. Fails if the state is not empty.')
    .argument('<file>', 'as `state export` wrote it')
    .action(run(lazy(async () => (await import('./export-import.js')).runStateImport)))
  aboutState(load, [['state import state.jsonl --state s3://bench/state', 'from a folder to a bucket']])
}

function addTidying(state: Command, run: Run): void {
  const remove = state
    .command('prune')
    .summary('remove records that every target has received')
    .description(
      'Removes records from the outbox that every known target has received. Skips commits that another process is ' +
        'delivering (exit code 75). Rejected lines are removed only with --force.',
    )
    .addOption(
      flag(
        '--older-than <age>',
        'with --force: also remove records and rejected lines older than this age, such as 30d, 12h or 90m',
      ).argParser(age),
    )
    .addOption(
      flag('--force', 'with --older-than: remove them even if targets lack them; those targets never receive them'),
    )
    .addOption(dryRunFlag)
    .action(run(lazy(async () => (await import('./compact-prune.js')).runStatePrune)))
  aboutState(remove, [
    ['state prune --state ~/bench-state', ''],
    ['state prune --force --older-than 30d --dry-run --state ~/bench-state', 'what would a dead target lose?'],
  ])
  const merge = state
    .command('compact')
    .summary('merge small objects')
    .description(
      'Merges the small outbox objects of each commit. Skips commits that another process is delivering (exit code 75).',
    )
    .addOption(dryRunFlag)
    .action(run(lazy(async () => (await import('./compact-prune.js')).runStateCompact)))
  aboutState(merge, [['state compact --state ~/bench-state', '']])
}
