/** `--report FILE`: what `--format json` would print, in a file beside the words. */

import t from 'tap'
import { chmodSync, existsSync, readFileSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { runCli } from '../fixtures/cli.js'
import { ordinaryAccount } from './fixtures/account.js'
import { jsonl, oneOfEach, query, writeCommit } from '../fixtures/records.js'
import { schemaErrors } from './fixtures/schema.js'

const read = (cwd: string, name = 'report.json'): string => readFileSync(join(cwd, name), 'utf8')
const REPORT = ['--report', 'report.json']

t.test('push, verify and validate write their report and print what they print without it', async t => {
  const cwd = t.testdir({ 'good.jsonl': jsonl(oneOfEach()), 'bad.jsonl': jsonl([query(), '{}']) })
  const commit = ['--commit', writeCommit(cwd)]
  for (const [schema, args, code, said, reported] of [
    ['push-report', ['push', 'good.jsonl', ...commit, '--embedded'], 0, /^ingested 5 records/, { inserted: 5 }],
    ['push-report', ['push', 'bad.jsonl', ...commit, '--embedded'], 65, /^$/, { rejected: 1, exit_code: 65 }],
    ['verify-report', ['verify', 'good.jsonl'], 0, /^verified: 5/, { compared: 5, different: 0 }],
    ['validate-report', ['validate', 'good.jsonl'], 0, /^valid: 5/, { valid: true, records: 5 }],
    ['validate-report', ['validate', 'bad.jsonl'], 65, /^error: bad/, { valid: false, rejections: [{ line: 2 }] }],
    ['validate-report', ['validate', 'bad.jsonl', '--format', 'sarif'], 65, /^\{"\$schema"/, { rejected: 1 }],
    ['error-report', ['validate', 'none.jsonl'], 66, /^$/, { exit_code: 66, error: { code: 'no_input' } }],
    ['error-report', ['push', 'none.jsonl', '--embedded'], 66, /^$/, { error: { code: 'no_input' } }],
  ] as const) {
    const result = await runCli([...args, ...REPORT], { cwd })
    t.equal(result.code, code, result.stderr)
    t.match(result.stdout, said)
    t.strictSame(schemaErrors(schema, read(cwd)), [], args.join(' '))
    t.match(JSON.parse(read(cwd)), reported)
  }
  t.strictSame(
    readdirSync(cwd).filter(name => name.includes('report')),
    ['report.json'],
    'nothing is left over',
  )
})

t.test('a report file that is also an input is refused', async t => {
  const good = jsonl(oneOfEach())
  const cwd = t.testdir({ 'good.jsonl': good })
  symlinkSync('good.jsonl', join(cwd, 'link.jsonl'))
  for (const report of ['good.jsonl', './link.jsonl']) {
    const { code, stderr } = await runCli(['validate', 'good.jsonl', '--report', report], { cwd })
    t.equal(code, 2)
    t.match(stderr, /would replace what is read/)
    t.equal(read(cwd, 'good.jsonl'), good)
  }
})

t.test('with --format json both are the same document', async t => {
  const cwd = t.testdir({ 'bad.jsonl': jsonl([query(), '{}']) })
  const { stdout } = await runCli(['validate', 'bad.jsonl', '--format', 'json', ...REPORT], { cwd })
  t.equal(read(cwd), stdout)
})

t.test('a report that could not be written keeps the command from starting', async t => {
  const cwd = t.testdir({ 'good.jsonl': jsonl(oneOfEach()), folder: {} })
  for (const path of ['nowhere/report.json', 'folder', '/dev/null']) {
    const { code, stderr } = await runCli(['push', 'good.jsonl', '--embedded', '--report', path], { cwd })
    t.equal(code, 78, path)
    t.match(stderr, /^error: cannot write the report /)
  }
  t.notOk(existsSync(join(cwd, '.vortex-ingest')), 'nothing was pushed')
})

t.test('a report is written through a symbolic link, which stays', async t => {
  const cwd = t.testdir({ 'good.jsonl': jsonl(oneOfEach()), 'real.json': 'before' })
  symlinkSync('real.json', join(cwd, 'report.json'))
  await runCli(['validate', 'good.jsonl', ...REPORT], { cwd })
  t.match(JSON.parse(read(cwd, 'real.json')), { valid: true })
})

t.test('where the folder refuses new files the report that was there stays', async t => {
  const account = await ordinaryAccount(t)
  if (account === undefined) return
  const cwd = t.testdir({ 'good.jsonl': jsonl(oneOfEach()), 'report.json': 'before' })
  chmodSync(cwd, 0o555)
  const { code } = await runCli(['validate', join(cwd, 'good.jsonl'), '--report', join(cwd, 'report.json')], account)
  chmodSync(cwd, 0o755)
  t.equal(code, 78)
  t.equal(read(cwd), 'before')
})
