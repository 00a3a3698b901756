/** A registered Postgres: the real program against a real server with TLS, its password in a variable. */

import t from 'tap'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { startTcpProxy } from '../fixtures/tcp-proxy.js'
import { startMigratedPostgres } from './fixtures/database.js'
import { pushArgs } from './fixtures/pushing.js'
import { jsonl, oneOfEach, query } from '../fixtures/records.js'

const { server, createDatabase } = await startMigratedPostgres(t)
const { url, countRows } = await createDatabase()
const address = url.replace(/:[^:@/]+@/, '@')

const run = (cwd: string, password: string, ...args: readonly string[]): Promise<CliResult> =>
  runCli(args, { cwd, env: { VORTEX_INGEST_STATE: 'state', DB_PASSWORD: password } })

t.test('it is delivered to, once, under the rules of --postgres', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(oneOfEach()) })
  const add = ['targets', 'add', 'db', 'postgres', address, '--secret-env', 'DB_PASSWORD']
  const added = await run(cwd, '', ...add)
  t.equal(added.code, 0, added.stderr)
  t.match(await run(cwd, '', 'targets', 'add', 'twin', 'postgres', address), {
    code: 78,
    stderr: /already registered as the target db/,
  })

  t.match(await run(cwd, '', ...pushArgs(cwd, 'f.jsonl')), {
    code: 77,
    stderr: /no password for the target db in DB_PASSWORD/,
  })
  const { code, stderr } = await run(cwd, server.password, ...pushArgs(cwd, 'f.jsonl'))
  t.equal(code, 0, stderr)
  t.equal(await countRows(), 5)
  t.match(await run(cwd, server.password, ...pushArgs(cwd, 'f.jsonl')), { code: 0, stdout: /nothing new/ })
  t.match((await run(cwd, server.password, 'targets', 'ls')).stdout, /db +postgres +\S+ +yes +yes +nothing +-/)
  t.match((await run(cwd, server.password, 'journal', 'health')).stdout, /db +target +ok +0 /)
})

t.test('an outage shows in journal, health and targets ls, and the undelivered records follow', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query({ query_idx: 77 })]) })
  const before = await countRows()
  const proxy = await startTcpProxy(t, { port: server.port })
  const near = address.replace(`:${server.port}/`, `:${proxy.port}/`)
  const fails = (...args: readonly string[]): Promise<CliResult> =>
    run(cwd, server.password, ...args, '--retry-deadline', '1')
  t.equal((await run(cwd, '', 'targets', 'add', 'db', 'postgres', near, '--secret-env', 'DB_PASSWORD')).code, 0)
  await proxy.close()
  const { code, stderr } = await fails(...pushArgs(cwd, 'f.jsonl'))
  t.equal(code, 75, stderr)
  t.match(
    (await run(cwd, server.password, 'journal', '--target', 'db')).stdout,
    /target db: deliver .* target_unreachable/,
  )
  t.match((await run(cwd, server.password, 'journal', 'health')).stdout, /db +target +down/)
  t.match(
    (await run(cwd, server.password, 'targets', 'ls')).stdout,
    /db +.* yes +no +1 of 1 commit +\S+ target_unreachable/,
  )
  await startTcpProxy(t, { port: server.port, ownPort: proxy.port })
  t.match(await run(cwd, server.password, 'drain'), { code: 0, stdout: /1 record/ })
  t.equal(await countRows(), before + 1)
  t.match((await run(cwd, server.password, 'journal', 'health')).stdout, /db +target +recovered/)
})
