/** `serve` as a process: how it starts, refuses to, what it says, and how it ends. */

import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { runCli } from '../fixtures/cli.js'
import { databaseCopies, emptyFolder } from '../database/embedded/fixtures/folders.js'
import { SCHEMA_VERSION } from '../../src/contract/kinds.js'
import { line, manyQueries, query, SHA } from '../fixtures/records.js'
import { commit, envelope, metaOf } from '../server/fixtures/envelopes.js'
import { head, rawClient } from '../server/fixtures/socket.js'
import { waitUntil } from '../fixtures/wait-until.js'
import { startMigratedPostgres, countEmbeddedRows, tableBytes } from './fixtures/database.js'
import { schemaErrors } from './fixtures/schema.js'
import { send, startServe, stop, TOKEN } from './fixtures/serve.js'

/** A working folder in which the database that `serve` takes by itself is there already. */
const copyDatabase = await databaseCopies()
const folderWithDatabase = (t: Test): string => copyDatabase(t, '.vortex-ingest')

const one = envelope([query()], { commit: commit(SHA) })

t.test('it says where it listens, takes an envelope, and drains on SIGTERM', async t => {
  const cwd = emptyFolder(t)
  const serving = await startServe([], { cwd })
  t.match(serving.printed().stdout, /^listening on http:\/\/127\.0\.0\.1:\d+ \(contract version 3\)\n$/)
  const answer = await send(serving, one)
  t.strictSame([answer.status, await answer.json()], [200, { inserted: 1, updated: 0 }])
  const { code, stderr } = await stop(serving)
  t.equal(code, 0)
  const lines = stderr.trimEnd().split('\n')
  t.equal(lines.length, 1)
  t.strictSame(schemaErrors('serve-log-line', lines[0] ?? ''), [])
  t.equal(await countEmbeddedRows(join(cwd, '.vortex-ingest')), 1)
})

t.test('a connection without a request, such as browsers open in advance, does not hold up the end', async t => {
  const serving = await startServe([], { cwd: emptyFolder(t) })
  const unused = connect(serving.port, '127.0.0.1')
  const closed = once(unused, 'close')
  await once(unused, 'connect')
  // The answer to a later connection shows that the server has taken the first one.
  await (await fetch(`${serving.url}/health`)).text()
  t.match(await stop(serving), { code: 0 })
  await closed
})

t.test('a database whose folder was deleted does not hold up the end', async t => {
  const cwd = emptyFolder(t)
  const serving = await startServe([], { cwd })
  rmSync(join(cwd, '.vortex-ingest'), { recursive: true })
  // Running requests would have 30 seconds.
  const heldUp = setTimeout(20_000, 'held up', { ref: false })
  const stderr = /warning: the embedded database in \S+ was not closed: the embedded database stopped: /
  t.match(await Promise.race([stop(serving), heldUp]), { code: 143, stderr })
})

t.test('with --format json the one line is a serve-report, and Ctrl-C drains as well', async t => {
  const serving = await startServe(['--format', 'json', '--store', 'elsewhere'], { cwd: copyDatabase(t, 'elsewhere') })
  const { stdout } = serving.printed()
  t.strictSame(schemaErrors('serve-report', stdout), [])
  t.match(JSON.parse(stdout), {
    ...{ command: 'serve', url: serving.url, host: '127.0.0.1', target: 'the embedded database in elsewhere' },
    ...{ auth: 'bearer', schema_version: SCHEMA_VERSION, pid: serving.cli.pid },
  })
  const { code, stdout: all } = await stop(serving, 'SIGINT')
  t.equal(code, 0)
  t.equal(all, stdout)
})

t.test('it refuses to start when everybody could write, or nobody', async t => {
  const cwd = t.testdir({ empty: '\n', spaced: 'a b\n', 'two-lines': 'a\nb\n' })
  const cases: readonly (readonly [readonly string[], Readonly<Record<string, string>>, number, RegExp])[] = [
    [[], {}, 78, /INGEST_BEARER_TOKEN is not set/],
    [[], { INGEST_BEARER_TOKEN: '' }, 78, /INGEST_BEARER_TOKEN is not set/],
    [[], { INGEST_BEARER_TOKEN: '\n' }, 78, /INGEST_BEARER_TOKEN is not set/],
    [[], { INGEST_BEARER_TOKEN: 'a b' }, 78, /INGEST_BEARER_TOKEN holds spaces/],
    [[], { VORTEX_INGEST_INSECURE_NO_AUTH: '0' }, 78, /INGEST_BEARER_TOKEN is not set/],
    [['--insecure-no-auth', '--listen', '0.0.0.0:0'], {}, 78, /--insecure-no-auth is for loopback addresses/],
    [['--insecure-no-auth', '--listen', '[::]:0'], {}, 78, /--insecure-no-auth is for loopback addresses/],
    [['--insecure-no-auth', '--listen', 'example.org:0'], {}, 78, /--insecure-no-auth is for loopback addresses/],
    [['--token-file', 'none'], {}, 78, /token file none: no such file/],
    [['--token-file', 'empty'], {}, 78, /token file empty is empty/],
    [['--token-file', 'spaced'], {}, 78, /token file spaced holds spaces/],
    [['--token-file', 'two-lines'], {}, 78, /token file two-lines holds spaces/],
    [['--listen', 'nonsense'], { INGEST_BEARER_TOKEN: 'x' }, 2, /--listen cannot be nonsense/],
    [['--listen', '127.0.0.1:65536'], { INGEST_BEARER_TOKEN: 'x' }, 2, /--listen cannot be/],
    [['--listen', '[127.0.0.1]:0'], { INGEST_BEARER_TOKEN: 'x' }, 2, /--listen cannot be/],
    [['--contract', '4'], { INGEST_BEARER_TOKEN: 'x' }, 2, /Allowed choices are 1, 2, 3/],
    [['--contract', '1.0'], { INGEST_BEARER_TOKEN: 'x' }, 2, /Allowed choices are 1, 2, 3/],
    [['--contract', ''], { INGEST_BEARER_TOKEN: 'x' }, 2, /Allowed choices are 1, 2, 3/],
    [[], { INGEST_BEARER_TOKEN: 'x', VORTEX_INGEST_CONTRACT: '0' }, 2, /Allowed choices are 1, 2, 3/],
    [['--max-body', '64 parsecs'], { INGEST_BEARER_TOKEN: 'x' }, 2, /It must be a size/],
    [['--max-body', '2GiB'], { INGEST_BEARER_TOKEN: 'x' }, 2, /--max-body cannot be more than 1GiB/],
    [['--store', 'mysql://u:hush@h/d'], { INGEST_BEARER_TOKEN: 'x' }, 2, /a Postgres DSN starts with/],
    [['--store', 'postgres//u:hush@h/d'], { INGEST_BEARER_TOKEN: 'x' }, 2, /a Postgres DSN starts with/],
    [['--store', 'host=h password=hush'], { INGEST_BEARER_TOKEN: 'x' }, 2, /names no database/],
    [['--store', 'results.jsonl'], { INGEST_BEARER_TOKEN: 'x' }, 2, /--store takes a folder or a Postgres URL/],
    [['--store', ''], { INGEST_BEARER_TOKEN: 'x' }, 2, /--store takes a folder or a Postgres URL/],
    [['--insecure-local'], { INGEST_BEARER_TOKEN: 'x' }, 2, /--insecure-local requires/],
    [['--store', 'postgres://u:hush@127.0.0.1:1/d'], { INGEST_BEARER_TOKEN: 'x' }, 69, /connection refused/],
  ]
  for (const [args, env, code, message] of cases) {
    const result = await runCli(['serve', ...args], { cwd, env })
    t.equal(result.code, code, `${args.join(' ')} ${result.stderr}`)
    t.match(result.stderr, message)
    t.equal(result.stdout, '')
    t.notMatch(result.stderr, /hush/)
  }
})

t.test('--contract, its variable and the config file choose the contract version of the server', async t => {
  const cwd = folderWithDatabase(t)
  writeFileSync(join(cwd, 'vortex-ingest.toml'), '[command.serve]\ncontract = 2\n')
  const variable = { VORTEX_INGEST_CONTRACT: '3' }
  for (const [args, env, version] of [
    [[], {}, 2],
    [[], variable, 3],
    [['--contract', '1'], variable, 1],
  ] as const) {
    const serving = await startServe(['--format', 'json', ...args], { cwd, env })
    t.match(JSON.parse(serving.printed().stdout), { schema_version: version })
    t.match(await (await fetch(`${serving.url}/health`)).json(), { schema_version: version })
    t.match(await (await fetch(`${serving.url}/health?version`)).json(), { schema_version: version })
    const older = envelope([], { meta: metaOf(version - 1), commit: commit(SHA) })
    const own = envelope([query()], { meta: metaOf(version), commit: commit(SHA) })
    const newer = envelope([query()], { meta: metaOf(version + 1), commit: commit(SHA) })
    t.equal((await send(serving, older)).status, 400)
    t.equal((await send(serving, own)).status, 200)
    const refused = await send(serving, newer)
    const answer = { error: 'schema_version_too_new', expected: version, got: version + 1 }
    t.strictSame([refused.status, await refused.json()], [409, answer])
    t.equal((await stop(serving)).code, 0)
  }
  t.equal(await countEmbeddedRows(join(cwd, '.vortex-ingest')), 1)
})

t.test('a Postgres that is older than the server is refused at the start', async t => {
  const { server, createDatabase } = await startMigratedPostgres(t)
  const database = await createDatabase()
  await database.sql('ALTER TABLE random_access_times DROP COLUMN open_mode')
  const without = await createDatabase()
  await without.sql('DROP TABLE commits')
  await server.sql(`ALTER ROLE bench_ingest PASSWORD '${server.password}'`)
  const store = ['--store', server.url(database.name, 'bench_ingest')]
  const result = await runCli(['serve', ...store], { cwd: t.testdir({}), env: { INGEST_BEARER_TOKEN: TOKEN } })
  t.equal(result.code, 78)
  t.match(
    result.stderr,
    /is at contract version 2, older than version 3 of the server\nhint: .*migrate.*--contract 2\n$/,
  )
  const empty = ['--store', server.url(without.name, 'bench_ingest')]
  const tables = await runCli(['serve', ...empty], { cwd: t.testdir({}), env: { INGEST_BEARER_TOKEN: TOKEN } })
  t.not(tables.code, 0, 'it ends, too, where there are no tables')
  const serving = await startServe(['--contract', '2', ...store], { cwd: t.testdir({}) })
  const access = line('random_access_time', { commit_sha: `"${SHA}"`, open_mode: undefined })
  const body = envelope([access], { meta: metaOf(2), commit: commit(SHA) })
  t.strictSame(await (await send(serving, body)).json(), { inserted: 1, updated: 0 })
  t.equal((await stop(serving)).code, 0)
})

t.test('a refusal is a document too with --format json', async t => {
  const { code, stdout } = await runCli(['serve', '--format', 'json'], { cwd: t.testdir({}) })
  t.equal(code, 78)
  t.strictSame(schemaErrors('error-report', stdout), [])
})

t.test('a port in use and an address of another machine are reported in one line', async t => {
  const cwd = folderWithDatabase(t)
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  for (const [listen, code, message] of [
    [`127.0.0.1:${port}`, 69, `error: cannot listen on 127.0.0.1:${port}: the port is taken`],
    [String(port), 69, `error: cannot listen on 127.0.0.1:${port}: the port is taken`],
    ['192.0.2.1:0', 78, 'error: cannot listen on 192.0.2.1:0: '],
  ] as const) {
    const result = await runCli(['serve', '--listen', listen], { cwd, env: { INGEST_BEARER_TOKEN: TOKEN } })
    t.equal(result.code, code)
    t.ok(result.stderr.startsWith(message), result.stderr)
    t.match(result.stderr, /^error: .*\nhint: .*\n$/)
  }
})

t.test('the token of a file is taken without its line feed, before that of the environment', async t => {
  const cwd = folderWithDatabase(t)
  writeFileSync(join(cwd, 'token'), 'of-the-file\r\n')
  const serving = await startServe(['--token-file', 'token', '--listen', '[::1]:0'], { cwd })
  t.match(serving.url, /^http:\/\/\[::1\]:\d+$/)
  t.equal((await send(serving, one, 'of-the-file')).status, 200)
  t.equal((await send(serving, one)).status, 401)
  await stop(serving)
})

t.test('without a token it accepts envelopes from this machine only, with a notice', async t => {
  const serving = await startServe(['--insecure-no-auth', '--listen', 'localhost:0'], {
    ...{ cwd: folderWithDatabase(t), env: { INGEST_BEARER_TOKEN: '' } },
  })
  t.match(serving.printed().stderr, /^warning: --insecure-no-auth/)
  t.equal((await fetch(`${serving.url}/api/ingest`, { method: 'POST' })).status, 415)
  t.equal((await send(serving, one, 'anything')).status, 200)
  await stop(serving)
})

t.test('SIGTERM during an envelope: it is answered and stored whole, or neither', async t => {
  const records = manyQueries(5_000)
  const body = Buffer.from(envelope(records, { commit: commit(SHA) }))
  for (const isStoring of [false, true]) {
    const cwd = folderWithDatabase(t)
    const serving = await startServe([], { cwd })
    const idle = await rawClient(t, serving)
    idle.send(head('GET', '/health', {}))
    await idle.untilReceived(/"status":"ok"/)
    const answered = send(serving, body).then(
      response => response.status,
      () => undefined,
    )
    if (isStoring) await untilGrown(join(cwd, '.vortex-ingest'))
    const startedAt = Date.now()
    const { code } = await stop(serving)
    const status = await answered
    t.equal(code, 0)
    t.ok(Date.now() - startedAt < 15_000, 'a connection that only waits holds nobody up')
    const rows = await countEmbeddedRows(join(cwd, '.vortex-ingest'))
    t.equal(rows, status === 200 ? records.length : 0, `${isStoring ? 'while it was stored' : 'at once'}: ${status}`)
  }
})

t.test('after kill -9 during an envelope the folder opens with all of its records or none', async t => {
  const cwd = folderWithDatabase(t)
  const records = manyQueries(5_000)
  const body = Buffer.from(envelope(records, { commit: commit(SHA) }))
  const serving = await startServe([], { cwd })
  t.equal((await send(serving, one)).status, 200)
  const answered = send(serving, body).catch(() => undefined)
  await untilGrown(join(cwd, '.vortex-ingest'))
  await stop(serving, 'SIGKILL')
  await answered
  const again = await startServe([], { cwd })
  const { rows } = (await (await fetch(`${again.url}/health`)).json()) as { rows: { query_measurements: number } }
  t.ok([1, 5_001].includes(rows.query_measurements), `${rows.query_measurements} rows`)
  t.equal((await send(again, body)).status, 200)
  t.equal((await stop(again)).code, 0)
  t.equal(await countEmbeddedRows(join(cwd, '.vortex-ingest')), 5_001)
})

t.test('the tokens are in no output and no answer', async t => {
  const cwd = folderWithDatabase(t)
  const serving = await startServe(['--format', 'json'], { cwd, env: { BENCH_REVALIDATE_TOKEN: 'hush-revalidate' } })
  const answers: string[] = []
  for (const [method, path, token] of [
    ['POST', '/api/ingest', TOKEN],
    ['POST', '/api/ingest', `${TOKEN}x`],
    ['POST', '/api/revalidate', 'hush-revalidate'],
    ['POST', '/api/revalidate', TOKEN],
    ['GET', `/${TOKEN}?token=${TOKEN}`, TOKEN],
    ['GET', '/', TOKEN],
    ['GET', '/health', TOKEN],
  ] as const) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const body = method === 'POST' ? '{}' : null
    const answer = await fetch(serving.url + path, { method, headers, body })
    answers.push(JSON.stringify([...answer.headers]), await answer.text())
  }
  const { stdout, stderr } = await stop(serving)
  t.equal(stderr.trimEnd().split('\n').length, 7)
  t.notMatch(answers.join('\n') + stdout + stderr, /hush/)
  t.notMatch(readFileSync(join(cwd, '.vortex-ingest', 'db.lock'), 'utf8'), /hush/)
})

t.test('fourteen writers at once into Postgres all succeed, also when their sessions were lost', async t => {
  const { server, createDatabase } = await startMigratedPostgres(t)
  const database = await createDatabase()
  // The role that may do least.
  await server.sql(`ALTER ROLE bench_ingest PASSWORD '${server.password}'`)
  const serving = await startServe(['--store', server.url(database.name, 'bench_ingest')], { cwd: t.testdir({}) })
  const bodies = Array.from({ length: 14 }, (_, writer) =>
    envelope(
      Array.from({ length: 300 }, (_, index) => query({ query_idx: index < 150 ? index : index + 1_000 * writer })),
      { commit: commit(SHA) },
    ),
  )
  const first = await Promise.all(bodies.map(body => send(serving, body)))
  t.strictSame([...new Set(first.map(({ status }) => status))], [200])
  t.equal(await database.countRows(), 150 + 13 * 150 + 150)
  await server.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database.name}'`)
  const second = await Promise.all(bodies.map(async body => (await send(serving, body)).json()))
  t.strictSame(
    second,
    Array.from({ length: 14 }, () => ({ inserted: 0, updated: 300 })),
  )
  t.match(await (await fetch(`${serving.url}/health`)).json(), { store: { kind: 'postgres', reachable: true } })
  await server.stop()
  t.match(await (await send(serving, one)).json(), { error: 'internal' })
  t.equal((await fetch(`${serving.url}/health`)).status, 503)
  const { code, stdout, stderr } = await stop(serving)
  t.equal(code, 0)
  t.notMatch(stdout + stderr, server.password)
})

/** Waits until records are being stored in an embedded database. */
async function untilGrown(folder: string): Promise<void> {
  const before = tableBytes(folder)
  await waitUntil(() => tableBytes(folder) > before)
}
