/** The reader of the output may be slow, gone, or a program. */

import t from 'tap'
import { closeSync, existsSync, openSync } from 'node:fs'
import { projectFile, runCli, startCli, untilDone } from '../fixtures/cli.js'
import { startMigratedPostgres } from './fixtures/database.js'
import { jsonl, oneOfEach, query, writeCommit } from '../fixtures/records.js'
import { schemaErrors } from './fixtures/schema.js'

const { createDatabase } = await startMigratedPostgres(t)

const BAD_LINES = 100_000
const bad = '{"kind":"sixth"}\n'.repeat(BAD_LINES)

t.test('100,000 rejections are all there, in little memory, however slowly they are read', async t => {
  const cwd = t.testdir({ 'bad.jsonl': bad })
  for (const [args, lines] of [
    [['validate', 'bad.jsonl', '--max-rejections', String(BAD_LINES)], BAD_LINES + 1],
    [['validate', 'bad.jsonl', '--format', 'json'], BAD_LINES + 1],
    [['id', 'bad.jsonl'], BAD_LINES],
  ] as const) {
    const cli = startCli(args, { cwd, measure: true })
    const outputs = [cli.child.stdout!, cli.child.stderr!]
    for (const stream of outputs) stream.pause()
    await untilDone(cli, () => outputs.some(stream => stream.readableLength >= stream.readableHighWaterMark))
    t.equal(cli.child.exitCode, null, 'it waits for its reader')
    for (const stream of outputs) stream.resume()
    const { code, stdout, peakRssMiB } = await cli.result
    t.equal(code, 65)
    t.equal(stdout.trimEnd().split('\n').length, args[0] === 'id' ? 1 : lines)
    t.ok(peakRssMiB > 0 && peakRssMiB < 200, `${args.join(' ')}: ${Math.round(peakRssMiB)} MiB`)
  }
})

t.test('a reader that closes the pipe changes neither the stored rows nor the exit code', async t => {
  const cwd = t.testdir({ 'good.jsonl': jsonl(oneOfEach()), 'bad.jsonl': bad })
  const { url, countRows } = await createDatabase()
  for (const [args, expected] of [
    [['push', 'good.jsonl', '--commit', writeCommit(cwd), '--postgres', url], 0],
    [['verify', 'good.jsonl', '--postgres', url], 0],
    [['validate', 'bad.jsonl'], 65],
    [['validate', 'bad.jsonl', '--format', 'json'], 65],
    [['push', 'bad.jsonl', '--postgres', url, '--format', 'json'], 65],
  ] as const) {
    const { child, result } = startCli(args, { cwd })
    child.stdout!.destroy()
    const { code, signal, stderr } = await result
    t.strictSame([code, signal], [expected, null], args.join(' '))
    t.notMatch(stderr, /EPIPE|\n {4}at /)
  }
  t.equal(await countRows(), 5)
})

t.test('a result that cannot be written is an error, though the records landed', async t => {
  if (!existsSync('/dev/full')) return void t.pass('/dev/full', { skip: 'this system has no /dev/full' })
  const cwd = t.testdir({ 'good.jsonl': jsonl(oneOfEach()) })
  const { url, countRows } = await createDatabase()
  const full = openSync('/dev/full', 'w')
  const push = ['push', 'good.jsonl', '--commit', writeCommit(cwd), '--postgres', url]
  const { code, stderr } = await runCli(push, { cwd, stdout: full })
  closeSync(full)
  t.equal(code, 1)
  t.match(stderr, /^error: cannot write the result: ENOSPC: no space left on device, write\n$/)
  t.equal(await countRows(), 5)
})

t.test('with --format json a failure is a JSON document on stdout, and words on stderr', async t => {
  const cwd = t.testdir({ 'one.jsonl': query() })
  for (const [args, env, error] of [
    [['validate', 'none.jsonl', '--format', 'json'], {}, { exit_code: 66, error: { code: 'no_input' } }],
    [['validate', 'none.jsonl', '--format=json'], {}, { exit_code: 66, error: { code: 'no_input' } }],
    [['push', 'none.jsonl'], { VORTEX_INGEST_FORMAT: 'json' }, { exit_code: 66, error: { code: 'no_input' } }],
    [['verify', 'one.jsonl', '--format', 'json'], {}, { exit_code: 78, error: { code: 'target_misconfigured' } }],
    [['migrate', 'nonsense', '--format', 'json'], {}, { exit_code: 2, error: { code: 'usage' } }],
    [['golden-check', '--vectors', 'none', '--format', 'json'], {}, { exit_code: 66, error: { code: 'no_input' } }],
    [['push', '--wat', '--format', 'json'], {}, { exit_code: 2, error: { code: 'usage', message: /--wat/ } }],
    [['verify', '--format', 'json'], {}, { exit_code: 2, error: { code: 'usage', message: /missing.*files/ } }],
  ] as const) {
    const { code, stdout, stderr } = await runCli(args, { cwd, env })
    t.equal(code, error.exit_code, stderr)
    t.match(JSON.parse(stdout), error)
    t.strictSame(schemaErrors('error-report', stdout), [])
    t.match(stderr, /^error: /)
  }
})

t.test('a group without a command shows its help, and the document says what is missing', async t => {
  const { code, stdout, stderr } = await runCli(['targets'], { env: { VORTEX_INGEST_FORMAT: 'json' } })
  t.equal(code, 2)
  t.strictSame(JSON.parse(stdout), {
    exit_code: 2,
    error: { code: 'usage', message: 'missing command', hint: 'run `vortex-ingest --help`' },
  })
  t.match(stderr, /^Usage: vortex-ingest targets /)
})

t.test('the JSON document of a mistyped command line has the error and the hint of stderr', async t => {
  for (const args of ['push --postgress x', 'help pusch', 'journal helth', 'validat']) {
    const { stdout, stderr } = await runCli([...args.split(' '), '--format', 'json'])
    const { error } = JSON.parse(stdout) as { error: { message: string; hint: string } }
    t.match(error.message, /^[^\n]* \(Did you mean \S+\?\)$/)
    t.equal(stderr, `error: ${error.message}\nhint: ${error.hint}\n`, args)
  }
})

t.test('JSON results match their published schemas', async t => {
  const cwd = t.testdir({ 'good.jsonl': jsonl(oneOfEach()), 'bad.jsonl': jsonl([query(), '{}']) })
  const { url } = await createDatabase()
  const example = projectFile('examples/results.jsonl')
  for (const [schema, args] of [
    ['validate-report', ['validate', example, 'good.jsonl']],
    ['validate-report', ['validate', 'bad.jsonl']],
    ['golden-check-report', ['golden-check']],
    ['migrate-report', ['migrate', url]],
  ] as const) {
    const { stdout, stderr } = await runCli([...args, '--format', 'json'], { cwd })
    t.equal(stderr, '')
    t.strictSame(schemaErrors(schema, stdout), [], args.join(' '))
  }
  const ids = await runCli(['id', 'good.jsonl', '--format', 'json'], { cwd })
  for (const line of ids.stdout.trimEnd().split('\n')) t.strictSame(schemaErrors('id-line', line), [])
})

t.test('colour is for terminals, unless it is forced, and never against a wish', async t => {
  const cwd = t.testdir({ 'bad.jsonl': '{}' })
  const coloured = async (env: Readonly<Record<string, string>>): Promise<readonly boolean[]> => {
    const { stdout, stderr } = await runCli(['push', 'bad.jsonl'], { cwd, env })
    const checked = await runCli(['validate', 'bad.jsonl'], { cwd, env })
    return [stdout + stderr, checked.stdout].map(text => text.includes('\u001b['))
  }
  t.strictSame(await coloured({}), [false, false], 'a pipe')
  t.strictSame(await coloured({ FORCE_COLOR: '1' }), [true, true])
  t.strictSame(await coloured({ FORCE_COLOR: '0' }), [false, false])
  t.strictSame(await coloured({ FORCE_COLOR: '1', NO_COLOR: '1' }), [false, false])
  t.strictSame(await coloured({ FORCE_COLOR: '1', NO_COLOR: '' }), [true, true], 'an empty NO_COLOR is no wish')
})
