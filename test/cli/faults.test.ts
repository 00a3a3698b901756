/** A database or a person that gets in the way of a push: one clear answer, nothing half-written, nothing left lying. */

import t from 'tap'
import { setTimeout } from 'node:timers/promises'
import { runCli, startCli, temporaryFiles, untilDone } from '../fixtures/cli.js'
import { startTcpProxy } from '../fixtures/tcp-proxy.js'
import { startMigratedPostgres, type Database } from './fixtures/database.js'
import { jsonl, manyQueries, query, writeCommit } from '../fixtures/records.js'
import { waitUntil } from '../fixtures/wait-until.js'

const { server, createDatabase } = await startMigratedPostgres(t)

async function countCommits({ sql }: Database): Promise<number> {
  return (await sql('SELECT 1 FROM commits')).length
}

t.test('a wrong password is an auth failure that shows neither password', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  const { url } = await createDatabase()
  const wrong = url.replace(server.password, 'not-the-password')
  const { code, stdout, stderr } = await runCli(
    ['push', 'f.jsonl', '--commit', writeCommit(cwd), '--postgres', wrong],
    { cwd },
  )
  t.equal(code, 77)
  t.match(stderr, /^error: postgres:\/\/bench_ingest@127\.0\.0\.1:\d+\/\S+: .*password/)
  t.notMatch(stdout + stderr, /not-the-password/)
})

t.test('an unreachable server is reported with its address', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  const { url } = await createDatabase()
  const nowhere = url.replace(`:${server.port}/`, ':1/')
  const push = ['push', 'f.jsonl', '--commit', writeCommit(cwd), '--postgres', nowhere]
  const { code, stderr } = await runCli([...push, '--retry-deadline', '1'], { cwd })
  t.equal(code, 69)
  t.match(stderr, /\(tried \d+ times in 1 s\)/)
  t.match(stderr, /127\.0\.0\.1:1\/.*refused/)
})

t.test('a server that closes the connection in the middle of COPY: an error, and not a row', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(20_000)) })
  const database = await createDatabase()
  const proxy = await startTcpProxy(t, { port: server.port })
  proxy.cutAfter(400_000, 'up')
  const through = database.url.replace(`:${server.port}/`, `:${proxy.port}/`)
  const push = ['push', 'f.jsonl', '--commit', writeCommit(cwd), '--postgres', through]
  const { code, stderr } = await runCli([...push, '--retry-deadline', '0.001'], { cwd })
  t.equal(code, 69, stderr)
  t.match(stderr, /^error: postgres:\/\/bench_ingest@\S+: .*connection/)
  t.equal((await database.countRows()) + (await countCommits(database)), 0)
})

t.test(
  'a push whose connection is cut in the middle of COPY connects again and lands, and says in how many tries',
  async t => {
    const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(20_000)) })
    const database = await createDatabase()
    const proxy = await startTcpProxy(t, { port: server.port })
    proxy.cutAfter(400_000, 'up')
    const through = database.url.replace(`:${server.port}/`, `:${proxy.port}/`)
    const push = ['push', 'f.jsonl', '--commit', writeCommit(cwd), '--postgres', through, '--format', 'json']
    const { code, stdout, stderr } = await runCli(push, { cwd })
    t.equal(code, 0, stderr)
    t.match(JSON.parse(stdout), { inserted: 20_000, files: [{ attempts: 2 }] })
    t.equal(await database.countRows(), 20_000)
  },
)

t.test('a table without the expected column is named, and nothing is stored', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  const database = await createDatabase()
  await database.sql('ALTER TABLE query_measurements DROP COLUMN peak_virtual')
  const { code, stderr } = await runCli(['push', 'f.jsonl', '--commit', writeCommit(cwd), '--postgres', database.url], {
    cwd,
  })
  t.equal(code, 78)
  t.match(stderr, /peak_virtual.*\n.*hint: .*migrate/)
  t.equal(await countCommits(database), 0)
})

t.test('a database without tables says how to make them', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  await server.createDatabase('bare')
  const url = server.url('bare', 'bench_ingest')
  const { code, stderr } = await runCli(['push', 'f.jsonl', '--commit', writeCommit(cwd), '--postgres', url], { cwd })
  t.equal(code, 78)
  t.match(stderr, /hint: .*vortex-ingest migrate/)
})

t.test('Ctrl-C during a large push: exit 130, the transaction gone, no backend at work, no file left', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(150_000)) })
  const database = await createDatabase()
  const cli = startCli(['push', 'f.jsonl', '--commit', writeCommit(cwd), '--postgres', database.url], { cwd })
  const backends = `SELECT query FROM pg_stat_activity WHERE application_name = 'vortex-ingest' AND datname = '${database.name}'`
  await untilDone(cli, async () =>
    (await server.sql(backends)).some(({ query }) => String(query).includes('WITH newer')),
  )
  cli.child.kill('SIGINT')
  const { code, signal, stderr } = await cli.result
  t.strictSame([code, signal], [130, null])
  t.match(stderr, /^error: interrupted: unfinished work was undone\n$/)
  await waitUntil(async () => (await server.sql(backends)).length === 0)
  t.equal((await database.countRows()) + (await countCommits(database)), 0)
  t.strictSame(temporaryFiles(), [])
})

t.test('Ctrl-C while standard input is being spooled exits 130 and leaves no temporary file', async t => {
  const cwd = t.testdir()
  const { url } = await createDatabase()
  const cli = startCli(['push', '-', '--commit', writeCommit(cwd), '--postgres', url], {
    cwd,
    stdin: null,
    measure: true,
  })
  cli.child.stdin?.write(`${query()}\n`)
  await cli.listening
  cli.child.kill('SIGINT')
  const { code } = await cli.result
  t.equal(code, 130)
  t.strictSame(temporaryFiles(), [])
})

t.test('kill -9 at any moment of a push leaves all or nothing, and the next push makes it whole', async t => {
  const lines = manyQueries(20_000)
  const [before, during] = [lines.slice(0, 10_000), lines.slice(10_000)]
  const cwd = t.testdir({ 'before.jsonl': jsonl(before), 'during.jsonl': jsonl(during) })
  const database = await createDatabase()
  const push = (file: string): string[] => ['push', file, '--commit', writeCommit(cwd), '--postgres', database.url]
  const startedAt = Date.now()
  t.equal((await runCli(push('before.jsonl'), { cwd })).code, 0)
  const wholeMs = Date.now() - startedAt

  for (const part of [0.3, 0.5, 0.7, 0.85, 1, 1.2]) {
    const cli = startCli(push('during.jsonl'), { cwd })
    await setTimeout(wholeMs * part)
    cli.child.kill('SIGKILL')
    await cli.result
    const rows = await database.countRows()
    t.ok(rows === before.length || rows === lines.length, `${rows} rows after ${part} of a push`)
  }
  t.equal((await runCli(push('during.jsonl'), { cwd })).code, 0)
  const verified = await runCli(['verify', 'before.jsonl', 'during.jsonl', '--extra', '--postgres', database.url], {
    cwd,
  })
  t.equal(verified.code, 0, verified.stdout)
  t.match(verified.stdout, /^verified: 20,000 measurements in /)
})
