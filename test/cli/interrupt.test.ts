/** Ctrl-C, SIGTERM and a server that goes away, where more has to be said than that it is over. */

import t from 'tap'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { startCli, runCli, temporaryFiles, untilDone } from '../fixtures/cli.js'
import { waitUntil } from '../fixtures/wait-until.js'
import { startTcpProxy } from '../fixtures/tcp-proxy.js'
import { startMigratedPostgres, countEmbeddedRows, tableBytes } from './fixtures/database.js'
import { databaseCopies } from '../database/embedded/fixtures/folders.js'
import { jsonl, manyQueries, oneOfEach, size, time, writeCommit } from '../fixtures/records.js'

const { server, createDatabase } = await startMigratedPostgres(t)

/** To the server, when two small records have landed and many are on their way. */
const SECOND_FILE_BYTES = 400_000

const INTERRUPTED = 'error: interrupted: unfinished work was undone\n'

t.test('a command that waits for standard input ends at once, and leaves no file', async t => {
  const cwd = t.testdir({})
  const { url } = await createDatabase()
  for (const [args, stdout] of [
    [['validate'], ''],
    [['id'], /^(-?\d+\n)?$/],
    [['verify', '-', '--postgres', url], ''],
    [['push', '--commit', writeCommit(cwd), '--postgres', url], ''],
  ] as const) {
    const cli = startCli(args, { cwd, stdin: null, measure: true })
    cli.child.stdin!.write(jsonl(oneOfEach().slice(0, 1)))
    await cli.listening
    const interruptedAt = Date.now()
    cli.child.kill('SIGINT')
    const { code, signal, stdout: printed, stderr } = await cli.result
    t.match({ code, signal, stderr }, { code: 130, signal: null, stderr: INTERRUPTED }, args[0])
    t.match(printed, stdout)
    t.ok(Date.now() - interruptedAt < 2_900)
  }
  t.strictSame(temporaryFiles(), [])
})

t.test('SIGTERM ends as orderly, with its own exit code', async t => {
  const cwd = t.testdir({})
  const cli = startCli(['validate', '--format', 'json'], { cwd, stdin: null, measure: true })
  await cli.listening
  cli.child.kill('SIGTERM')
  const { code, stdout, stderr } = await cli.result
  t.equal(code, 143)
  t.match(JSON.parse(stdout), { exit_code: 143, error: { code: 'terminated' } })
  t.equal(stderr, 'error: terminated: unfinished work was undone\n')
})

t.test('an interrupted command ends although its FIFO has no writer', async t => {
  const cwd = t.testdir({})
  execFileSync('mkfifo', [join(cwd, 'pipe')])
  const commit = writeCommit(cwd)
  await Promise.all(
    [
      ['validate', 'pipe'],
      ['id', 'pipe'],
      ['push', 'pipe', '--commit', commit, '--embedded'],
    ].map(async args => {
      const cli = startCli(args, { cwd, measure: true })
      await cli.listening
      cli.child.kill('SIGINT')
      const { code, signal, stderr } = await cli.result
      // A shell makes 130 of the signal.
      t.ok(code === 130 || signal === 'SIGINT', `${args[0]}: ${code} ${signal}`)
      t.equal(stderr, INTERRUPTED)
    }),
  )
})

t.test('a second Ctrl-C ends the program immediately', async t => {
  const cwd = t.testdir({})
  execFileSync('mkfifo', [join(cwd, 'pipe')])
  const cli = startCli(['validate', 'pipe'], { cwd, measure: true })
  await cli.listening
  cli.child.kill('SIGINT')
  const secondAt = Date.now()
  // A signal that comes before the first was handled is merged with it, so more are sent until the program has ended.
  await waitUntil(() => !cli.child.kill('SIGINT'))
  t.match(await cli.result, { signal: 'SIGINT' })
  t.ok(Date.now() - secondAt < 2_900)
})

t.test('an interruption during the second file reports the first, and only the first is stored', async t => {
  const cwd = t.testdir({ 'a.jsonl': jsonl([time(), size()]), 'b.jsonl': jsonl(manyQueries(30_000)) })
  for (const format of ['human', 'json']) {
    const database = await createDatabase()
    const proxy = await startTcpProxy(t, { port: server.port })
    const through = database.url.replace(`:${server.port}/`, `:${proxy.port}/`)
    const push = ['push', 'a.jsonl', 'b.jsonl', '--commit', writeCommit(cwd), '--postgres', through]
    const { code, stdout, stderr } = await runCli([...push, '--format', format], {
      cwd,
      signal: { name: 'SIGINT', when: () => proxy.forwarded.up > SECOND_FILE_BYTES },
    })
    t.equal(code, 130)
    if (format === 'human') t.match(stdout, /^ingested 2 records of 0123456 into .* \(2 inserted, 0 updated\) in /)
    else
      t.match(JSON.parse(stdout), {
        ...{ exit_code: 130, records: 2, files: [{ source: 'a.jsonl' }] },
        failed: { source: 'b.jsonl', code: 'interrupted' },
      })
    t.equal(stderr, `error: b.jsonl was not stored completely; the files before it were\n${INTERRUPTED}`)
    t.equal(await database.countRows(), 2)
  }
})

t.test('a lost connection reports the delivered files, and a second push completes the rest', async t => {
  const cwd = t.testdir({ 'a.jsonl': jsonl([time(), size()]), 'b.jsonl': jsonl(manyQueries(10_000)) })
  const database = await createDatabase()
  const proxy = await startTcpProxy(t, { port: server.port })
  proxy.cutAfter(SECOND_FILE_BYTES)
  const push = ['push', 'a.jsonl', 'b.jsonl', '--commit', writeCommit(cwd), '--postgres']
  const through = database.url.replace(`:${server.port}/`, `:${proxy.port}/`)
  const once = ['--retry-deadline', '0.001', '--format', 'json']
  const { code, stdout, stderr } = await runCli([...push, through, ...once], { cwd })
  t.equal(code, 69)
  t.match(JSON.parse(stdout), {
    ...{ exit_code: 69, records: 2, inserted: 2, files: [{ source: 'a.jsonl' }] },
    failed: { source: 'b.jsonl', code: 'target_unreachable', message: /the connection was lost/ },
  })
  t.match(
    stderr,
    /^error: b\.jsonl was not stored completely; the files before it were\nerror: .*connection was lost\nhint: try again\n$/,
  )
  t.equal(await database.countRows(), 2)

  t.equal((await runCli([...push, database.url], { cwd })).code, 0)
  t.equal(await database.countRows(), 10_002)
})

t.test('Ctrl-C during a push into the embedded database leaves all or nothing, and it opens again', async t => {
  const rows = 20_000
  const cwd = t.testdir({ 'results.jsonl': jsonl(manyQueries(rows)) })
  const folder = (await databaseCopies())(t)
  const cli = startCli(['push', 'results.jsonl', '--commit', writeCommit(cwd), '--embedded', folder], { cwd })
  const before = tableBytes(folder)
  await untilDone(cli, () => tableBytes(folder) > before + 1_000_000)
  cli.child.kill('SIGINT')
  const { code, signal, stderr } = await cli.result
  t.ok(code === 130 || signal === 'SIGINT', `${code} ${signal}`)
  t.equal(stderr, INTERRUPTED)
  t.equal((await runCli(['migrate', '--embedded', folder])).code, 0)
  const count = await countEmbeddedRows(folder)
  t.ok(count === 0 || count === rows, `${count} rows`)
})
