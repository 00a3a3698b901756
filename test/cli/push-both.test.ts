/** A push to a server and to Postgres: at the same time, each by itself, and who decides what it ends with. */

import t, { type Test } from 'tap'
import { startCli, untilDone } from '../fixtures/cli.js'
import { applied, json, startAnswering, startHttpServer } from '../fixtures/http-server.js'
import { holding, startMigratedPostgres } from './fixtures/database.js'
import { push, pushArgs, pushReported, TOKEN } from './fixtures/pushing.js'
import { jsonl, oneOfEach, query } from '../fixtures/records.js'
import { schemaErrors } from './fixtures/schema.js'
import { waitUntil } from '../fixtures/wait-until.js'

const { server: postgres, createDatabase } = await startMigratedPostgres(t)

/** Nothing listens there. */
const DEAD_SERVER = 'http://127.0.0.1:1'
/** For how long a dead database is tried again. */
const BRIEFLY = ['--retry-deadline', '1']
const deadDatabase = (url: string): string => url.replace(`:${postgres.port}/`, ':1/')

t.test('both get every record, and the report lists each', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(oneOfEach()) })
  const server = await startAnswering(t, applied)
  const { url, countRows } = await createDatabase()
  const both = ['f.jsonl', '--server', server.url, '--postgres', url]
  const { code, stdout, stderr, report } = await pushReported(cwd, both)
  t.equal(code, 0, stderr)
  t.equal(stderr, '')
  t.strictSame(schemaErrors('push-report', stdout), [])
  t.match(report, { records: 5, inserted: 5, updated: 0, chunks: 1 })
  const counts = { status: 'delivered', records: 5, inserted: 5, updated: 0, attempts: 1, waited_ms: 0, failed: null }
  t.match(report.targets, [
    { name: 'server', required: true, ...counts },
    { name: 'postgres', required: false, ...counts },
  ])
  t.equal(await countRows(), 5)
  const again = await push(cwd, both)
  t.match(
    again.stdout,
    /ingested 5 records of \w+ into http:.*\(5 inserted, [^]*\ningested 5 records of \w+ into postgres:.*\(0 inserted, 5 updated/,
  )
})

t.test('targets are delivered to concurrently: a server may answer only when the database has the rows', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(oneOfEach()) })
  const { url, countRows } = await createDatabase()
  const server = await startAnswering(t, async (response, asked) => {
    await waitUntil(async () => (await countRows()) > 0)
    applied(response, asked)
  })
  const { code, stderr } = await push(cwd, ['f.jsonl', '--server', server.url, '--postgres', url])
  t.equal(code, 0, stderr)
})

t.test('and a database that commits only when the server has answered', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(oneOfEach()) })
  const database = await createDatabase()
  const { url, countRows } = database
  const server = await startAnswering(t, applied)
  const letGo = holding(database, 'LOCK TABLE commits IN EXCLUSIVE MODE')
  const cli = startCli(pushArgs(cwd, 'f.jsonl', '--server', server.url, '--postgres', url), {
    cwd,
    env: { INGEST_BEARER_TOKEN: TOKEN },
  })
  await untilDone(cli, () => server.asked.length > 0)
  t.equal(await countRows(), 0)
  await letGo()
  t.equal((await cli.result).code, 0)
})

/** Exit codes with the server down, the database down, both down. */
type Required = readonly [string, readonly string[], number, number, number]
const CODES: readonly Required[] = [
  ['by default', [], 69, 0, 69],
  ['all', ['--require', 'all'], 69, 69, 69],
  ['any', ['--require', 'any'], 0, 0, 69],
  ['server', ['--require', 'server'], 69, 0, 69],
  ['postgres', ['--require', 'postgres'], 0, 69, 69],
  ['all, failure allowed', ['--require', 'all', '--allow-failure'], 0, 0, 0],
]

t.test(
  '--require selects the targets whose failure fails the push, and reachable targets have their rows anyway',
  async t => {
    const cwd = t.testdir({ 'f.jsonl': jsonl(oneOfEach()) })
    // Each mostly waits before it tries a dead database again.
    await Promise.all(CODES.map(required => failsWhereItMust(t, cwd, required)))
  },
)

async function failsWhereItMust(
  t: Test,
  cwd: string,
  [name, args, serverDown, databaseDown, bothDown]: Required,
): Promise<void> {
  const { url, countRows } = await createDatabase()
  const server = await startAnswering(t, applied)
  const to = (address: string, dsn: string): readonly string[] => [
    ...['f.jsonl', '--retries', '0', ...BRIEFLY, '--server', address, '--postgres', dsn, ...args],
  ]
  const first = await pushReported(cwd, to(DEAD_SERVER, url))
  t.equal(first.code, serverDown, `${name}, server down: ${first.stderr}`)
  t.equal(await countRows(), 5)
  const second = await pushReported(cwd, to(server.url, deadDatabase(url)))
  t.equal(second.code, databaseDown, `${name}, database down: ${second.stderr}`)
  t.equal(server.asked.length, 1)
  const third = await pushReported(cwd, to(DEAD_SERVER, deadDatabase(url)))
  t.equal(third.code, bothDown, `${name}, both down: ${third.stderr}`)
  for (const { code, report, stderr, stdout } of [first, second, third]) {
    t.equal(report.exit_code, code)
    t.strictSame(schemaErrors('push-report', stdout), [])
    t.match(stderr, code === 0 ? /^warning: .*\((best effort|allowed by --allow-failure)\)/m : /^error: /m)
  }
}

t.test('--require names a target of the push', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  const { code, stderr } = await push(cwd, ['f.jsonl', '--server', DEAD_SERVER, '--require', 'postgres'])
  t.equal(code, 2)
  t.match(stderr, /--require postgres, but no such target/)
})

t.test('bad data fails the push whichever target notices it, with any flags', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]), 'bad.jsonl': '{}\n' })
  const { url, countRows } = await createDatabase()
  const refusing = await startAnswering(t, json(400, { error: 'record', record_index: 0, message: 'odd' }))
  for (const more of [[], ['--allow-failure'], ['--require', 'postgres'], ['--require', 'any']]) {
    const args = ['--server', refusing.url, '--postgres', url, ...more]
    t.equal((await push(cwd, ['f.jsonl', ...args])).code, 65, more.join(' '))
    const before = refusing.asked.length
    t.equal((await push(cwd, ['f.jsonl', 'bad.jsonl', ...args])).code, 65)
    t.equal(refusing.asked.length, before, 'a bad line keeps all files from all targets')
  }
  t.equal(await countRows(), 1)
})

t.test('a required target that refuses for good outweighs one that is down', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  const { url } = await createDatabase()
  const server = await startAnswering(t, json(401, {}))
  const args = ['f.jsonl', '--server', server.url, '--postgres', deadDatabase(url), ...BRIEFLY, '--require', 'all']
  t.equal((await push(cwd, [...args, '--allow-failure'])).code, 77)
})

t.test('an unreachable target delays no other: the reachable one has its rows while the other is retried', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(oneOfEach()) })
  const { url, countRows } = await createDatabase()
  const server = await startHttpServer(t, { answer: () => json(503, {}, { 'retry-after': '1' }) })
  const cli = startCli(pushArgs(cwd, 'f.jsonl', '--server', server.url, '--postgres', url), {
    cwd,
    env: { INGEST_BEARER_TOKEN: TOKEN },
  })
  await untilDone(cli, async () => (await countRows()) === 5)
  cli.child.kill('SIGINT')
  const { code, stdout, stderr } = await cli.result
  t.equal(code, 130)
  t.match(stdout, /^ingested 5 records of 0123456 into postgres:/)
  t.match(stderr, /error: interrupted/)
})
