/** `serve --state` as operators meet it: the real program, beside the commands that work on the same state. */

import t from 'tap'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { emptyFolder } from '../database/embedded/fixtures/folders.js'
import { envelope, commit } from '../server/fixtures/envelopes.js'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { startMigratedPostgres } from './fixtures/database.js'
import { query, SHA } from '../fixtures/records.js'
import { send, startServe, stop, TOKEN, type Serving } from './fixtures/serve.js'

const OPERATOR = 'hush-operator-2342'
const env = { VORTEX_INGEST_STATE: 'state', VORTEX_INGEST_OPERATOR_TOKEN: OPERATOR }
// An embedded database would take seconds for each start.
const { server, createDatabase } = await startMigratedPostgres(t)
const { url: storeUrl } = await createDatabase()
const one = envelope([query()], { commit: commit(SHA) })

type Asking = { readonly method?: string; readonly body?: string; readonly token?: string }

async function ask({ url }: Serving, path: string, { method = 'GET', body, token = OPERATOR }: Asking = {}) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const response = await fetch(url + path, { method, headers, ...(body !== undefined && { body }) })
  const text = await response.text()
  return { status: response.status, text, rescued: response.headers.get('x-bucket-rescued') }
}

const run = (cwd: string, ...args: readonly string[]): Promise<CliResult> => runCli(args, { cwd, env })

t.test('commands see changes made over HTTP, and HTTP shows changes made by commands', async t => {
  const cwd = emptyFolder(t)
  const serving = await startServe(['--store', storeUrl], { cwd, env })
  const body = JSON.stringify({ name: 'cold', root: join(cwd, 'cold') })
  t.match(await ask(serving, '/storage/buckets', { method: 'POST', body }), { status: 201 })
  t.match((await run(cwd, 'buckets', 'ls')).stdout, /cold +local/)
  t.equal((await run(cwd, 'targets', 'add', 'keep', 'archive', '--bucket', 'cold')).code, 0)
  t.match(await ask(serving, '/targets'), { status: 200, text: /"name":"keep"/ })
  t.match(await ask(serving, '/storage/buckets/cold', { method: 'DELETE' }), { status: 409, text: /keep/ })
  t.match(await ask(serving, '/storage/buckets/cold/objects/a/b', { method: 'PUT', body: 'one' }), { status: 200 })
  t.match(await run(cwd, 'buckets', 'get', 'cold', 'a/b'), { code: 0, stdout: 'one' })
  t.match(await ask(serving, '/openapi.json', { token: '' }), { status: 200, text: /"\/storage\/buckets"/ })
  const { code, stdout, stderr } = await stop(serving)
  t.equal(code, 0)
  t.notMatch(stdout + stderr, /hush/)
  t.match(stderr, '"route":"/storage/buckets/:bucket/objects/*"')
})

t.test('a bucket that goes away and comes back, without a restart, is in the journal that commands read', async t => {
  const cwd = emptyFolder(t)
  const serving = await startServe(['--store', storeUrl], { cwd, env })
  const root = join(cwd, 'cold')
  const object = '/storage/buckets/cold/objects/a'
  const put = (body: string): ReturnType<typeof ask> => ask(serving, object, { method: 'PUT', body })
  await ask(serving, '/storage/buckets', { method: 'POST', body: JSON.stringify({ name: 'cold', root }) })
  t.equal((await put('before')).status, 200)
  renameSync(root, `${root} elsewhere`)
  t.match(await put('lost'), { status: 503, text: /"storage_failed"/ })
  // Without being asked for it, the server writes it down within seconds; it is asked here to save them.
  t.match(await ask(serving, '/storage/errors/flush', { method: 'POST' }), { text: '{"flushed":1}' })
  t.match((await run(cwd, 'journal', '--target', 'cold')).stdout, /bucket cold: put \(try 1\) storage_failed/)
  t.match((await run(cwd, 'journal', 'health')).stdout, /cold +bucket +down/)
  renameSync(`${root} elsewhere`, root)
  t.match(await ask(serving, object), { status: 200, text: 'before', rescued: 'false' })
  t.equal((await put('after')).status, 200)
  t.match((await run(cwd, 'journal', 'health')).stdout, /cold +bucket +recovered/)
  await stop(serving)
})

t.test('without a token of their own, or without a state, there is nothing for operators', async t => {
  const paths = ['/storage/buckets', '/storage/errors', '/targets', '/promotions', '/storage/buckets/primary/objects/a']
  for (const more of [{ VORTEX_INGEST_STATE: 'state' }, { VORTEX_INGEST_OPERATOR_TOKEN: OPERATOR }]) {
    const serving = await startServe(['--store', storeUrl], { cwd: emptyFolder(t), env: more })
    for (const path of paths)
      for (const token of ['', TOKEN, OPERATOR, 'undefined'])
        t.match(await ask(serving, path, { token }), { status: 404, text: '{"error":"not_found"}' })
    const { stderr } = await stop(serving)
    if ('VORTEX_INGEST_OPERATOR_TOKEN' in more) t.match(stderr, /without --state it opens nothing/)
  }
})

t.test('with --insecure-no-auth operators need their token all the same', async t => {
  const serving = await startServe(['--insecure-no-auth', '--store', storeUrl], { cwd: emptyFolder(t), env })
  t.equal((await ask(serving, '/targets', { token: '' })).status, 401)
  t.equal((await ask(serving, '/targets', { token: TOKEN })).status, 401)
  t.equal((await ask(serving, '/targets')).status, 200)
  await stop(serving)
})

t.test('an unsafe or empty operator token is refused at the start', async t => {
  for (const [token, words] of [
    [TOKEN, 'is the token of those who write'],
    ['two words', 'holds spaces or other characters'],
  ] as const) {
    const more = { INGEST_BEARER_TOKEN: TOKEN, VORTEX_INGEST_STATE: 'state', VORTEX_INGEST_OPERATOR_TOKEN: token }
    const { code, stderr } = await runCli(['serve'], { cwd: emptyFolder(t), env: more })
    t.equal(code, 78)
    t.match(stderr, `VORTEX_INGEST_OPERATOR_TOKEN ${words}`)
  }
})

t.test('an unreachable state does not stop ingestion while running, but is an error at the start', async t => {
  const cwd = emptyFolder(t)
  const serving = await startServe(['--store', storeUrl], { cwd, env })
  rmSync(join(cwd, 'state'), { recursive: true, force: true })
  writeFileSync(join(cwd, 'state'), 'a file where the folder was')
  t.equal((await send(serving, one)).status, 200)
  t.match(await ask(serving, '/storage/buckets', { method: 'POST', body: '{"name":"x","root":"memory:"}' }), {
    status: 503,
    text: /"storage_failed"/,
  })
  t.equal((await stop(serving)).code, 0)
  t.match(await run(cwd, 'serve', '--insecure-no-auth'), { code: 69, stderr: /^error: .*state/m })
})

t.test("failures of a server's store are in the journal after the server has ended", async t => {
  const cwd = t.testdir({})
  const dsn = storeUrl.replace(/:[^:@/]+@/, '@')
  const { code, stderr } = await runCli(['targets', 'add', 'db', 'postgres', dsn], { cwd, env })
  t.equal(code, 0, stderr)
  const serving = await startServe(['--store', storeUrl], { cwd, env })
  t.equal((await send(serving, one)).status, 200)
  await server.stop()
  t.equal((await send(serving, one)).status, 500)
  t.equal((await stop(serving)).code, 0)
  const { stdout } = await run(cwd, 'journal', '--target', 'db')
  t.match(stdout, /target db: ingest \(try 1\) \w+: /)
  t.notMatch(stdout, server.password)
  t.match((await run(cwd, 'journal', 'health')).stdout, /db +target +failing +1 /)
})
