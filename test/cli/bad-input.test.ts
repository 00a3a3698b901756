/** Wrong input of every sort gets one clear answer, and nothing reaches the database. */

import t, { type Test } from 'tap'
import { closeSync, createWriteStream, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { runCli, type CliOptions, type CliResult } from '../fixtures/cli.js'
import { startMigratedPostgres, type Database } from './fixtures/database.js'
import { query, SHA, size, writeCommit } from '../fixtures/records.js'

const { createDatabase } = await startMigratedPostgres(t)

type Refused = { readonly code: number; readonly says: readonly RegExp[] }

/** Pushes `file` and checks the answer, and that the database is as empty as before. */
async function refused(t: Test, file: string, { code, says }: Refused, options: CliOptions = {}): Promise<CliResult> {
  const database = await createDatabase()
  const cwd = t.testdirName
  const result = await runCli(['push', file, '--commit', writeCommit(cwd), '--postgres', database.url], {
    cwd,
    ...options,
  })
  t.equal(result.code, code, result.stderr)
  for (const pattern of says) t.match(result.stderr, pattern)
  t.equal(result.stdout, '')
  await isEmpty(t, database)
  return result
}

async function isEmpty(t: Test, { sql, countRows }: Database): Promise<void> {
  t.equal(await countRows(), 0, 'no measurement')
  t.strictSame(await sql('SELECT 1 FROM commits'), [], 'no commit')
}

t.test('half a line at the end', async t => {
  t.testdir({ 'f.jsonl': `${query()}\n${size().slice(0, 60)}` })
  await refused(t, 'f.jsonl', {
    code: 65,
    says: [/f\.jsonl:2 \(byte \d+\): the line is not JSON: ends at column 61/, /nothing was sent/],
  })
})

t.test('a byte-order mark', async t => {
  t.testdir({ 'f.jsonl': `\ufeff${query()}\n` })
  await refused(t, 'f.jsonl', { code: 65, says: [/f\.jsonl:1 \(byte 0\): .*byte-order mark/] })
})

t.test('NUL bytes in a file', async t => {
  t.testdir({ 'f.jsonl': `${query()}\n\0\0\0\0\n` })
  await refused(t, 'f.jsonl', { code: 65, says: [/f\.jsonl:2 .*U\+0000/] })
})

t.test('an escaped NUL in a string', async t => {
  t.testdir({ 'f.jsonl': `${size({ dataset: 'a\0b' })}\n` })
  await refused(t, 'f.jsonl', { code: 65, says: [/f\.jsonl:1 .*\/dataset .*U\+0000.*\(nul_in_string\)/] })
})

t.test('a line of 100 MB between two good ones is rejected in little memory', async t => {
  const file = join(t.testdir(), 'f.jsonl')
  const stream = createWriteStream(file)
  stream.write(`${query()}\n`)
  for (let megabyte = 0; megabyte < 100; megabyte++)
    if (!stream.write('x'.repeat(1_000_000))) await once(stream, 'drain')
  stream.end(`\n${size()}\n`)
  await once(stream, 'close')
  const { peakRssMiB } = await refused(
    t,
    'f.jsonl',
    { code: 65, says: [/f\.jsonl:2 .*longer than 16 MiB \(line_too_long\)/, /1 line rejected/] },
    { measure: true },
  )
  t.ok(peakRssMiB > 0 && peakRssMiB < 200, `${peakRssMiB} MiB`)
})

t.test('a record of a sixth kind', async t => {
  t.testdir({ 'f.jsonl': `{"kind":"sixth","commit_sha":"${SHA}"}\n` })
  await refused(t, 'f.jsonl', { code: 65, says: [/\/kind must be one of .*got "sixth" \(unknown_kind\)/] })
})

t.test('a valid array at top level', async t => {
  t.testdir({ 'f.jsonl': `[${query()}]\n` })
  await refused(t, 'f.jsonl', {
    code: 65,
    says: [/^error: f\.jsonl begins with a JSON array\nhint: write its elements, one per line/],
  })
})

t.test('two commits in one file', async t => {
  t.testdir({ 'f.jsonl': `${query()}\n${size({ commit_sha: 'f'.repeat(40) })}\n` })
  await refused(t, 'f.jsonl', {
    code: 65,
    says: [/f\.jsonl:2 .*\/commit_sha must be .*got "f{40}" \(commit_mismatch\)/],
  })
})

t.test('gzip that was cut in the middle', async t => {
  const whole = gzipSync(Array.from({ length: 2_000 }, (_, idx) => query({ query_idx: idx })).join('\n'))
  t.testdir({ 'f.gz': whole.subarray(0, whole.length / 2) })
  await refused(t, 'f.gz', { code: 65, says: [/f\.gz: gzip data is damaged or cut short/, /hint: /] })
})

t.test('a directory', async t => {
  mkdirSync(join(t.testdir(), 'out'))
  await refused(t, 'out', { code: 66, says: [/out is a directory/, /hint: name its files: 'out\/\*\.jsonl'/] })
})

t.test('a directory as standard input', async t => {
  const { url } = await createDatabase()
  const cwd = t.testdir({ out: {} })
  const folder = openSync(join(cwd, 'out'), 'r')
  t.teardown(() => closeSync(folder))
  const args = ['push', '-', '--commit', writeCommit(cwd), '--postgres', url]
  const { code, stdout, stderr } = await runCli(args, { cwd, stdin: folder })
  t.equal(code, 66, stderr)
  t.match(stderr, /^error: - is a directory/)
  t.equal(stdout, '')
})

t.test('a file that is not there', async t => {
  t.testdir({})
  await refused(t, 'none.jsonl', { code: 66, says: [/none\.jsonl: no such file/] })
})

t.test('a name that is empty', async t => {
  t.testdir({})
  await refused(t, '', { code: 66, says: [/^error: an input has no name\nhint: /] })
})

t.test('a glob that matches nothing', async t => {
  t.testdir({})
  await refused(t, 'out/*.jsonl', { code: 66, says: [/out\/\*\.jsonl: no file matches/] })
})

t.test('carriage returns at the ends of lines are fine', async t => {
  const database = await createDatabase()
  const cwd = t.testdir({ 'f.jsonl': `${query()}\r\n\r\n${size()}\r\n` })
  const result = await runCli(['push', 'f.jsonl', '--commit', writeCommit(cwd), '--postgres', database.url], { cwd })
  t.equal(result.code, 0, result.stderr)
  t.equal(await database.countRows(), 2)
})

t.test('100,000 bad lines: the first ones are shown, all are counted, memory stays flat', async t => {
  writeFileSync(join(t.testdir(), 'f.jsonl'), `${'{"kind":1}\n'.repeat(100_000)}`)
  const says = [/100,000 lines rejected/, /hint: vortex-ingest validate f\.jsonl --format json lists all of them/]
  const { stderr, peakRssMiB } = await refused(t, 'f.jsonl', { code: 65, says }, { measure: true })
  t.equal(stderr.split('\n').filter(line => line.includes('(unknown_kind)')).length, 20)
  t.ok(peakRssMiB < 200, `${peakRssMiB} MiB`)
})

/** Runs a program and then prints the processor time of this shell and of its children. */
const TIMES = ['/bin/sh', '-c', '"$@"; code=$?; times >&2; exit $code', 'sh']

/** Processor seconds, user and system, that a program under TIMES took. */
function processorSeconds(stderr: string): number {
  const parts = [...(stderr.trimEnd().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)]
  return parts.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0)
}

t.test('520 kB of gzipped line feeds, which are 512 MiB of blank lines, are validated with little work', async t => {
  const lineFeeds = gzipSync(Buffer.alloc(16 * 1024 * 1024, '\n'))
  const members = [...Array.from({ length: 32 }, () => lineFeeds), gzipSync('{}\n')]
  const cwd = t.testdir({ 'blank.jsonl.gz': Buffer.concat(members) })
  const { code, stdout, stderr } = await runCli(['validate', 'blank.jsonl.gz'], {
    cwd,
    under: TIMES,
    timeoutMs: 300_000,
  })
  t.equal(code, 65)
  t.match(stdout, /^error: blank\.jsonl\.gz:536870913 \(byte 536870912\): \/kind is missing/m)
  // Line by line it took 99 s.
  t.ok(processorSeconds(stderr) < 20, `${processorSeconds(stderr)} s`)
})
