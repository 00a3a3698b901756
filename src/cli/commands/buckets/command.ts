/** Defines `buckets` and its subcommands with their flags and help. Their implementation is loaded when they run. */

import type { Command } from 'commander'
import { examples, flag } from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'
import { aboutState } from '../state/about-state.js'

export function addBuckets(program: Command, run: Run): void {
  const buckets = program
    .command('buckets')
    .summary('list and change buckets')
    .description(
      'Buckets are named object storage. primary and rescue are part of the state; reads fall back to rescue when another bucket fails.',
    )
    .addHelpText('after', examples([['buckets add cold --root s3://bench-cold/runs --state ~/bench-state', '']]))
  const ls = buckets
    .command('ls')
    .summary('list buckets')
    .description('Lists every bucket with its backend, its root and the targets that write to it.')
    .action(run(lazy(async () => (await import('./action.js')).listBucketsCommand)))
  aboutState(ls, [['buckets ls --state ~/bench-state', '']])
  const add = buckets
    .command('add')
    .summary('add a bucket')
    .description('Registers a bucket and creates its folder. Fails if the name exists.')
    .argument('<name>', 'lower-case letters, digits, - and _')
    .addOption(flag('--root <place>', 'location of the bucket: a folder, s3://bucket/prefix, or memory:'))
    .action(run(lazy(async () => (await import('./action.js')).addBucketCommand)))
  aboutState(add, [['buckets add cold --root s3://bench/archive --state ~/bench-state', '']])
  const rm = buckets
    .command('rm')
    .summary('remove a bucket; its objects stay')
    .description('Fails for primary, rescue and any bucket that a target writes to.')
    .argument('<name>', 'name of a bucket')
    .action(run(lazy(async () => (await import('./action.js')).removeBucketCommand)))
  aboutState(rm, [['buckets rm cold --state ~/bench-state', '']])
  addObjects(buckets, run)
}

function addObjects(buckets: Command, run: Run): void {
  const get = buckets
    .command('get')
    .summary('print an object')
    .description(
      'Prints an object. If the bucket fails or lacks it, the object is read from rescue, with a note on stderr.',
    )
    .argument('<bucket>', 'name of the bucket')
    .argument('<key>', 'key of the object: names separated by /')
    .action(run(lazy(async () => (await import('./objects.js')).getObjectCommand)))
  aboutState(get, [['buckets get cold reports/2026.json --state ~/bench-state', '']])
  const put = buckets
    .command('put')
    .summary('store a file as an object')
    .description('Stores the file in this bucket. If the bucket fails, nothing is stored elsewhere.')
    .argument('<bucket>', 'name of the bucket')
    .argument('<key>', 'key of the object: names separated by /')
    .argument('<file>', 'file to store')
    .action(run(lazy(async () => (await import('./objects.js')).putObjectCommand)))
  aboutState(put, [['buckets put cold reports/2026.json report.json --state ~/bench-state', '']])
}
