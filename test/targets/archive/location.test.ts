import t from 'tap'
import { resolve } from 'node:path'
import { archiveSink } from '../../../src/targets/archive/sink.js'
import { locationsOverlap } from '../../../src/targets/archive/options.js'
import { parseStorageAddress } from '../../../src/storage/address.js'

const idOf = (text: string): string => archiveSink(parseStorageAddress(text)).id

t.test('an archive has the same id for every notation of its location', async t => {
  t.equal(idOf('a/b'), `archive:${resolve('a/b')}`)
  t.equal(idOf('./a/../a/b/'), idOf('a/b'))
  t.equal(idOf('s3://bucket/p/'), 'archive:s3://bucket/p')
  t.equal(idOf('s3://bucket/p?region=eu-west-1'), idOf('s3://bucket/p'))
  t.not(idOf('s3://bucket/p?endpoint=http://127.0.0.1:9000'), idOf('s3://bucket/p'))
})

const OVERLAPS: readonly [string, string, boolean][] = [
  ['a', './a/', true],
  ['a', 'a/b', true],
  ['a/b', 'a', true],
  ['a', 'ab', false],
  ['/', '/a', true],
  ['a', 's3://aaa', false],
  ['s3://aaa', 's3://aaa/b', true],
  ['s3://aaa/b', 's3://aaa/bc', false],
  ['s3://aaa/b?endpoint=http://h:1', 's3://aaa/b', false],
  ['s3://aaa/b?endpoint=http://h:1', 's3://aaa/b/c?endpoint=http://h:1', true],
  ['memory:', 'memory:', false],
]

for (const [one, other, expected] of OVERLAPS)
  t.test(`${one} and ${other} ${expected ? 'overlap' : 'do not overlap'}`, async t => {
    t.equal(locationsOverlap(parseStorageAddress(one), parseStorageAddress(other)), expected)
  })
