/** Files that are not plain files, and names that are not plain names. */

import t from 'tap'
import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, symlinkSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { runCli, startCli, temporaryFiles, type CliResult } from '../fixtures/cli.js'
import { ordinaryAccount } from './fixtures/account.js'
import { jsonl, manyQueries, query, writeCommit } from '../fixtures/records.js'

/** Runs a command on `<cwd>/pipe`, a FIFO that gets `text`. */
async function throughFifo(cwd: string, args: readonly string[], text: string): Promise<CliResult> {
  execFileSync('mkfifo', [join(cwd, 'pipe')])
  const { result } = startCli(args, { cwd })
  const writer = await open(join(cwd, 'pipe'), 'w')
  await writer.writeFile(text)
  await writer.close()
  return result
}

t.test('a job without any input gets an error about the input, not about the commit', async t => {
  const nothing = await open('/dev/null', 'r')
  t.teardown(() => nothing.close())
  for (const command of ['push', 'validate']) {
    const { code, stderr } = await runCli([command], { cwd: t.testdir({}), stdin: nothing.fd })
    t.equal(code, 66, command)
    t.equal(stderr, 'error: no input\nhint: name a file, or pipe records in\n', command)
  }
  const empty = await runCli(['validate', '-'], { stdin: nothing.fd })
  t.equal(empty.code, 0, 'a run that emitted nothing is named')
})

t.test('a FIFO is read like a file, and spooled when it must be read twice', async t => {
  const lines = jsonl(manyQueries(3_000))
  for (const [args, stdout] of [
    [['validate', 'pipe'], 'valid: 3,000 records in pipe, contract version 1\n  query_measurement          3,000\n'],
    [
      ['push', 'pipe', '--commit', 'commit.json', '--dry-run'],
      'dry run: 3,000 records of 0123456 would be sent; nothing was\n',
    ],
  ] as const)
    await t.test(args[0], async t => {
      const cwd = t.testdir({})
      writeCommit(cwd)
      const result = await throughFifo(cwd, args, lines)
      t.match(result, { code: 0, stdout, stderr: '' })
    })
  await t.test('id', async t => {
    const { code, stdout } = await throughFifo(t.testdir({}), ['id', 'pipe'], lines)
    t.equal(code, 0)
    t.equal(stdout.trimEnd().split('\n').length, 3_000)
  })
  t.strictSame(temporaryFiles(), [])
})

t.test('a name may hold blanks, quotes, glob characters, and start with a dash', async t => {
  const names = ['sp ace.jsonl', `it's "so".jsonl`, 'a[b]*{c}?.jsonl', '👍.jsonl', './-dash.jsonl']
  const cwd = t.testdir(Object.fromEntries(names.map(name => [name.replace('./', ''), query()])))
  for (const name of names) {
    const { code, stdout, stderr } = await runCli(['validate', name], { cwd })
    t.match({ code, stderr }, { code: 0, stderr: '' }, name)
    t.match(stdout, `valid: 1 record in ${name}, contract version 1\n`)
  }
  t.equal((await runCli(['validate', '--', '-dash.jsonl'], { cwd })).code, 0)
  const dash = await runCli(['validate', '-dash.jsonl'], { cwd })
  t.equal(dash.code, 2)
  t.match(dash.stderr, /^error: unknown option '-dash\.jsonl'\n/)
})

t.test('a name cannot move the cursor or fake a line', async t => {
  const name = 'a\nerror: fake\u001b[31m.jsonl'
  const shown = 'a error: fake\\u001b[31m.jsonl'
  const cwd = t.testdir({ [name]: '{}' })
  const commit = writeCommit(cwd)
  for (const [args, output] of [
    [
      ['validate', name],
      `error: ${shown}:1 (byte 0): /kind is missing (missing_field)\ninvalid: 1 of 1 line rejected in ${shown}\n`,
    ],
    [['id', name], `error: ${shown}:1 (byte 0): /kind is missing (missing_field)\n\n`],
    [
      ['push', name, '--commit', commit],
      `error: ${shown}:1 (byte 0): /kind is missing (missing_field)\nerror: nothing was sent: 1 line rejected in ${shown}\n`,
    ],
    [['validate', `no${name}`], `error: no${shown}: no file matches\nhint: check the pattern\n`],
  ] as const) {
    const { stdout, stderr } = await runCli(args, { cwd })
    t.equal(stderr + stdout, output)
  }
  const { stdout } = await runCli(['validate', name, '--format', 'json'], { cwd })
  t.match(JSON.parse(stdout), { rejections: [{ source: name }] })
})

t.test('no output contains an invisible character of a name or record as it is', async t => {
  const hidden = '\u001b[2J\u0085\u009b31m\u200b\u202e\u2066\ufeff\u{e0001}'
  const name = `a${hidden}b.jsonl`
  const cwd = t.testdir({ [name]: query({ dataset: 'x' }).replace('"dataset"', `"${hidden}"`), summary: '' })
  const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: join(cwd, 'summary') }
  const outputs: string[] = []
  for (const args of [
    ...['human', 'json', 'sarif', 'junit'].map(format => ['validate', name, '--format', format]),
    ['validate', name, '--report', join(cwd, 'report.json')],
    ['validate', `missing${name}`],
    ['push', name, '--commit', writeCommit(cwd), '--dry-run'],
    ['id', name],
    ['id', name, '--format', 'json'],
  ]) {
    const { stdout, stderr } = await runCli(args, { cwd, env })
    outputs.push(stdout, stderr)
  }
  outputs.push(readFileSync(join(cwd, 'summary'), 'utf8'), readFileSync(join(cwd, 'report.json'), 'utf8'))
  for (const output of outputs) t.notMatch(output, /[\p{Cf}\u0000-\u0009\u000b-\u001f\u007f-\u009f]/u)
  t.match(
    outputs.join(''),
    '::error file=a\\u001b[2J\\u0085\\u009b31m\\u200b\\u202e\\u2066\\ufeff\\udb40\\udc01b.jsonl,',
  )
  const { stdout } = await runCli(['validate', name, '--format', 'json'], { cwd })
  t.match(JSON.parse(stdout), { rejections: [{ source: name }] })
})

t.test('links lead to their files, and in a circle nowhere', async t => {
  const cwd = t.testdir({ 'real.jsonl': query() })
  symlinkSync('real.jsonl', join(cwd, 'link.jsonl'))
  symlinkSync('circle.jsonl', join(cwd, 'circle.jsonl'))
  symlinkSync('gone.jsonl', join(cwd, 'dangling.jsonl'))
  t.equal((await runCli(['validate', 'link.jsonl'], { cwd })).code, 0)
  for (const [name, message] of [
    ['circle.jsonl', /^error: circle\.jsonl: .*too many symbolic links/],
    ['dangling.jsonl', /^error: dangling\.jsonl: no such file\n/],
  ] as const) {
    const { code, stdout, stderr } = await runCli(['validate', name], { cwd })
    t.strictSame([code, stdout], [66, ''])
    t.match(stderr, message)
  }
})

t.test('a file that may not be read is named', async t => {
  const account = await ordinaryAccount(t)
  if (account === undefined) return
  const cwd = t.testdir({ 'mine.jsonl': query() })
  chmodSync(join(cwd, 'mine.jsonl'), 0o000)
  const { code, stdout, stderr } = await runCli(['validate', 'mine.jsonl'], { cwd, ...account })
  t.strictSame([code, stdout], [66, ''])
  t.equal(stderr, 'error: mine.jsonl: permission denied\nhint: check who may read the file\n')
})

t.test('an input that cannot be spooled is reported with the folder for temporary files', async t => {
  const cwd = t.testdir({ file: '' })
  const TMPDIR = join(cwd, 'file')
  const push = ['push', '-', '--commit', writeCommit(cwd), '--dry-run']
  const { code, stdout, stderr } = await runCli(push, { cwd, stdin: query(), env: { TMPDIR } })
  t.strictSame([code, stdout], [66, ''])
  t.match(stderr, `error: -: cannot keep the input in ${TMPDIR}: `)
  t.match(stderr, /\nhint: set TMPDIR to a folder with room\n$/)
})

t.test('a file that is named twice is read once', async t => {
  const cwd = t.testdir({ 'one.jsonl': query() })
  const { stdout } = await runCli(['validate', 'one.jsonl', '*.jsonl', 'one.jsonl'], { cwd })
  t.match(stdout, /^valid: 1 record in one\.jsonl, contract version 1\n/)
})
