/** Defines `buckets` and its subcommands with their flags and help. Their implementation is loaded when they run. */

import type { Command } from 'commander'
import { examples, flag } from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'
import { aboutState } from '../state/about-state.js'

export function addBuckets(program: Command, run: Run): void {
  const buckets = program
    .command('buckets')
    .summary('list and change buckets')
    .description('Named places. primary and rescue lie in the state itself; rescue answers what others cannot.')
    .addHelpText('after', examples([['buckets add cold --root s3://bench-cold/runs --state ~/bench-state', '']]))
  const ls = buckets
    .command('ls')
    .summary('list buckets')
    .description('Every bucket: its backend, its root, and the targets that write to it.')
    .action(run(lazy(async () => (await import('./action.js')).listBucketsCommand)))
  aboutState(ls, [['buckets ls --state ~/bench-state', '']])
  const add = buckets
    .command('add')
    .summary('add a bucket')
    .description('A folder is made. A known name is refused.')
    .argument('<name>', 'lower-case letters, digits, - and _')
    .addOption(flag('--root <place>', 'place of the bucket: a folder, s3://bucket/prefix, or memory:'))
    .action(run(lazy(async () => (await import('./action.js')).addBucketCommand)))
  aboutState(add, [['buckets add cold --root s3://bench/archive --state ~/bench-state', '']])
  const rm = buckets
    .command('rm')
    .summary('remove a bucket; its objects stay')
    .description('Refused for primary and rescue, and for one that a target writes to.')
    .argument('<name>', 'name of a bucket')
    .action(run(lazy(async () => (await import('./action.js')).removeBucketCommand)))
  aboutState(rm, [['buckets rm cold --state ~/bench-state', '']])
  addObjects(buckets, run)
}

function addObjects(buckets: Command, run: Run): void {
  const get = buckets
    .command('get')
    .summary('print an object')
    .description('What the bucket misses or fails with, rescue is asked for; stderr says so.')
    .argument('<bucket>', 'name of the bucket')
    .argument('<key>', 'key of the object: names separated by /')
    .action(run(lazy(async () => (await import('./objects.js')).getObjectCommand)))
  aboutState(get, [['buckets get cold reports/2026.json --state ~/bench-state', '']])
  const put = buckets
    .command('put')
    .summary('store a file as an object')
    .description('In this bucket or nowhere.')
    .argument('<bucket>', 'name of the bucket')
    .argument('<key>', 'key of the object: names separated by /')
    .argument('<file>', 'file to store')
    .action(run(lazy(async () => (await import('./objects.js')).putObjectCommand)))
  aboutState(put, [['buckets put cold reports/2026.json report.json --state ~/bench-state', '']])
}
