/** Annotations, summary and outputs of a GitHub Actions run. */

import t from 'tap'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tamed } from '../../../src/cli/output/github/annotations.js'
import { runCli } from '../../fixtures/cli.js'
import { runStep } from '../fixtures/github.js'
import { TOKEN } from '../fixtures/pushing.js'
import { SHA, jsonl, oneOfEach, query, size, writeCommit } from '../../fixtures/records.js'
import { schemaErrors } from '../fixtures/schema.js'

t.test('a successful push reports its records per target and kind, and sets outputs', async t => {
  const cwd = t.testdir({ 'good.jsonl': jsonl(oneOfEach()) })
  const push = ['push', 'good.jsonl', '--commit', writeCommit(cwd), '--embedded']
  const { code, summary, outputs, commands, stdout } = await runStep(push, cwd)
  t.equal(code, 0)
  t.match(stdout, /^ingested 5 records/)
  t.strictSame(commands, [], 'nothing is wrong, so there is nothing to mark')
  t.strictSame(outputs, { inserted: '5', updated: '0', accepted: '5', rejected: '0', commit: SHA, exit: '0' })
  t.match(summary, /^### ✅ vortex-ingest push: 5 records of <code>0123456<\/code> in /)
  t.match(summary, /\| the embedded database in \.vortex-ingest \| delivered \| 5 \| 5 \| 0 \| 0 \| 1 \|/)
  t.match(summary, /\| random_access_time \| 1 \| 1 \| 0 \| 0 \|/)

  const again = await runStep(push, cwd)
  t.match(again.outputs, { inserted: '0', updated: '5' })
  t.match(again.summary, /\| random_access_time \| 1 \| 0 \| 1 \| 1 \|/)
})

t.test('a rejected line is an annotation at its place in the repository', async t => {
  const cwd = t.testdir({ out: {} })
  writeFileSync(join(cwd, 'out', 'a,b:c%.jsonl'), jsonl([query(), query({ storage: 'a::b\n%0A,' }), size(), size()]))
  for (const command of ['push', 'validate']) {
    const options = { cwd: join(cwd, 'out') }
    const { code, commands, outputs, summary } = await runStep(
      [command, '*.jsonl', '--dry-run'].slice(0, command === 'push' ? 3 : 2),
      cwd,
      {
        ...options,
        env: { VORTEX_INGEST_EMBEDDED: '1' },
      },
    )
    t.equal(code, 65)
    const rejected = commands.filter(({ properties }) => properties['line'] === '2')
    t.match(rejected, [
      {
        name: 'error',
        properties: { file: 'out/a,b:c%.jsonl', line: '2', title: 'vortex-ingest: bad_value' },
        message: /^\/storage must be .*"a::b\\n%0A,"/,
      },
    ])
    t.match(outputs, { rejected: '1', exit: '65' })
    t.match(summary, /❌ vortex-ingest/)
    t.match(summary, /\| a,b:c%\.jsonl:2 \| bad&#95;value \|/)
  }
})

t.test('warnings are warnings', async t => {
  const cwd = t.testdir({ 'twice.jsonl': jsonl([size(), size()]) })
  const { code, commands } = await runStep(['validate', 'twice.jsonl'], cwd)
  t.equal(code, 0)
  t.match(commands, [{ name: 'warning', properties: { file: 'twice.jsonl', line: '2' } }])
})

t.test('at most ten annotations are made, the last of which counts the others; the log is folded', async t => {
  const cwd = t.testdir({ 'bad.jsonl': '{}\n'.repeat(500) })
  for (const [args, errors] of [
    [['validate', 'bad.jsonl'], 500],
    [['push', 'bad.jsonl', '--embedded'], 501],
  ] as const) {
    const { commands, stdout, summary } = await runStep(args, cwd)
    const marked = commands.filter(({ name }) => name === 'error')
    t.equal(marked.length, 10)
    t.equal(marked.at(-1)?.message, `and ${errors - 9} more errors; the log has them`)
    const all = [...stdout.split('\n'), ...commands.map(({ name }) => `::${name}`)]
    t.equal(all.filter(line => line.startsWith('::group')).length, 1)
    t.equal(all.filter(line => line.startsWith('::endgroup')).length, 1)
    t.match(summary, /and 480 more rejected lines/)
  }
})

t.test('JSON on stdout stays JSON', async t => {
  const cwd = t.testdir({ 'bad.jsonl': '{}\n'.repeat(50) })
  for (const [args, schema] of [
    [['validate', 'bad.jsonl', '--format', 'json'], 'validate-report'],
    [['push', 'bad.jsonl', '--embedded', '--format', 'json'], 'push-report'],
  ] as const) {
    const { stdout, commands } = await runStep(args, cwd)
    t.strictSame(schemaErrors(schema, stdout), [])
    t.ok(commands.length >= 10)
  }
})

t.test('a failed command is annotated, with its hint', async t => {
  const cwd = t.testdir({ 'one.jsonl': query() })
  const push = ['push', 'one.jsonl', '--commit', writeCommit(cwd)]
  const dead = [...push, '--server', 'http://127.0.0.1:1', '--retries', '1', '--retry-deadline', '1']
  const { code, commands, outputs, summary } = await runStep(dead, cwd, { env: { INGEST_BEARER_TOKEN: TOKEN } })
  t.equal(code, 69)
  t.match(
    commands.filter(({ name }) => name === 'error'),
    [{ message: /cannot reach|ECONNREFUSED/ }],
  )
  t.match(outputs, { inserted: '0', commit: SHA, exit: '69' })
  t.match(summary, /❌[\s\S]*\| failed \|[\s\S]*was retried 1 time/)

  const none = await runStep(['push', 'none.jsonl', '--embedded'], cwd)
  t.match(none.commands, [
    { name: 'error', message: 'none.jsonl: no such file\nhint: check the name, or quote a glob' },
  ])
  t.match(none.summary, /^### ❌ vortex-ingest push failed \(exit code 66\)\n\nnone\.jsonl: no such file/)
  t.strictSame(none.outputs, { inserted: '0', updated: '0', accepted: '0', rejected: '0', commit: '', exit: '66' })
})

t.test('unwritable files of GitHub only cause a warning', async t => {
  const cwd = t.testdir({ 'one.jsonl': query() })
  mkdirSync(join(cwd, 'taken'))
  const env = { GITHUB_STEP_SUMMARY: join(cwd, 'taken') }
  const { code, log } = await runStep(['validate', 'one.jsonl'], cwd, { env })
  t.equal(code, 0)
  t.match(log, /warning: the GitHub step summary or outputs could not be written: EISDIR/)
})

t.test('a summary never grows beyond what GitHub shows', async t => {
  const cwd = t.testdir({ 'one.jsonl': query(), big: '' })
  const file = join(cwd, 'big')
  for (const before of [1024 * 1024 - 30, 1024 * 1024]) {
    writeFileSync(file, 'x'.repeat(before))
    const { code } = await runStep(['validate', 'one.jsonl'], cwd, { env: { GITHUB_STEP_SUMMARY: file } })
    t.equal(code, 0)
    const { statSync } = await import('node:fs')
    t.ok(statSync(file).size <= 1024 * 1024)
  }
})

t.test('outside of GitHub Actions none of it is there', async t => {
  const cwd = t.testdir({ 'bad.jsonl': '{}\n'.repeat(50) })
  const { commands, summary, outputs, stdout } = await runStep(['validate', 'bad.jsonl'], cwd, {
    env: { GITHUB_ACTIONS: 'false' },
  })
  t.strictSame([commands, summary, outputs], [[], '', {}])
  t.notMatch(stdout, '::')
})

t.test('no text of a record is a command to the runner, wherever in a line it is', async t => {
  const kind = '##[stop-commands]all'
  const cwd = t.testdir({ 'bad.jsonl': `${JSON.stringify({ kind })}\n` })
  for (const format of ['human', 'json', 'sarif', 'junit']) {
    const { code, stdout, log, commands } = await runStep(['validate', 'bad.jsonl', '--format', format], cwd)
    t.equal(code, 65)
    t.notMatch(stdout + log, '##[', format)
    t.match(stdout + log, 'stop-commands', 'it is told all the same')
    t.match(commands, [{ name: 'error', message: kind }])
    if (format === 'json' || format === 'sarif') t.match(JSON.stringify(JSON.parse(stdout)), '##[')
  }
  const { stdout } = await runCli(['validate', 'bad.jsonl', '--format', 'json'], { cwd })
  t.match(stdout, '##[', 'elsewhere it stands as it is')
})

t.test('a line that begins like a command is none', t => {
  t.equal(tamed('a\n  ::debug::b ::c', 'text'), 'a\n  :\u200b:debug::b ::c')
  t.end()
})
