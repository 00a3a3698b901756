/** An older value never replaces a newer one: deliveries that come late, from another state, a held request or an earlier CI attempt. */

import t, { type Test } from 'tap'
import { json, startHttpServer } from '../fixtures/http-server.js'
import { startPostgres } from '../fixtures/postgres.js'
import { COMMIT, jsonl, RUN, size } from '../fixtures/records.js'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { push as pushAs, writeFile } from './fixtures/pushing.js'
import { startServe, stop, TOKEN } from './fixtures/serve.js'
import { onState } from './fixtures/state.js'

const write = (cwd: string, name: string, values: Readonly<Record<string, number>>): string =>
  writeFile(
    cwd,
    name,
    jsonl(
      Object.entries(values).map(([dataset, value_bytes]) => size({ dataset, value_bytes, uncompressed_bytes: 9 })),
    ),
  )

type Place = { readonly args: readonly string[]; readonly sizes: () => Promise<readonly string[]> }

/** A push with the token of `serve`. */
const push = (cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> =>
  pushAs(cwd, args, { env: { INGEST_BEARER_TOKEN: TOKEN, ...env } })

const postgres = await startPostgres(t)
let databases = 0

/** A migrated database of a test's own. */
async function database(): Promise<Place & { readonly name: string }> {
  const name = `ordering_${++databases}`
  const url = await postgres.createDatabase(name)
  const { code, stderr } = await runCli(['migrate', url, '--insecure-local'])
  if (code !== 0) throw new Error(stderr)
  const select = `SELECT dataset || '=' || value_bytes AS row FROM compression_sizes ORDER BY 1`
  const sizes = async (): Promise<readonly string[]> =>
    (await postgres.sql(select, name)).map(row => String(Object.values(row)[0]))
  return { name, args: ['--postgres', url, '--insecure-local'], sizes }
}

t.test('an outbox that is drained late does not replace what was pushed meanwhile', async t => {
  for (const [title, again] of [
    ['without state', []],
    ['with another state', ['--state', 'other']],
  ] as const) {
    const cwd = t.testdir({})
    const { args, name, sizes } = await database()
    write(cwd, 'first.jsonl', { a: 1, only_first: 1 })
    write(cwd, 'second.jsonl', { a: 2 })
    await postgres.sql(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
    const down = await push(cwd, ['first.jsonl', ...args, '--state', 'state', '--retry-deadline', '1'])
    t.equal(down.code, 78, 'nothing was delivered, and everything is queued')
    await postgres.sql(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`)
    t.equal((await push(cwd, ['second.jsonl', ...args, ...again])).code, 0, title)

    const drained = await onState(cwd, ['drain', ...args])

    t.equal(drained.code, 0, drained.stderr)
    t.match(
      drained.stderr,
      /^warning: 1 record left out, because .* holds newer values \(--force-older replaces them\)$/m,
      title,
    )
    t.strictSame(await sizes(), ['a=2', 'only_first=1'], title)
  }
})

t.test('a request that a proxy held back does not replace what a later push stored', async t => {
  const cwd = t.testdir({})
  const { args, sizes } = await database()
  const serving = await startServe(['--store', args[1]!, '--insecure-local', '--listen', '127.0.0.1:0'], { cwd })
  t.teardown(() => stop(serving))
  const held: (() => Promise<Response>)[] = []
  const proxy = await startHttpServer(t, {
    answer: (_index, { method, path, headers, body }) => {
      if (method !== 'POST') return json(404, {})
      const { host: _host, connection: _connection, 'content-length': _length, ...sent } = headers
      held.push(() => fetch(`${serving.url}${path}`, { method, headers: sent as Record<string, string>, body: body! }))
      return json(504, { error: 'gateway timeout' })
    },
  })
  write(cwd, 'first.jsonl', { a: 1, only_first: 1 })
  write(cwd, 'second.jsonl', { a: 2 })
  t.equal((await push(cwd, ['first.jsonl', '--server', proxy.url, '--retries', '0'])).code, 69)
  t.equal((await push(cwd, ['second.jsonl', '--server', serving.url])).code, 0)

  const late = await held[0]!()

  t.equal(late.status, 200)
  t.equal(late.headers.get('vortex-ingest-ordered'), 'true')
  t.equal(late.headers.get('vortex-ingest-superseded'), '1')
  t.strictSame(await sizes(), ['a=2', 'only_first=1'])
  const again = await held[0]!()
  t.strictSame(await again.json(), { inserted: 0, updated: 2 }, 'a repeat is recognised')
})

t.test('an idempotency key of another commit names another delivery, and malformed headers are refused', async t => {
  const cwd = t.testdir({})
  const { args, sizes } = await database()
  const serving = await startServe(['--store', args[1]!, '--insecure-local', '--listen', '127.0.0.1:0'], { cwd })
  t.teardown(() => stop(serving))
  const post = async (sha: string, value_bytes: number, headers: Readonly<Record<string, string>>): Promise<number> => {
    const record: unknown = JSON.parse(size({ commit_sha: sha, dataset: sha[0]!, value_bytes, uncompressed_bytes: 9 }))
    const commit = { ...COMMIT, sha, url: `https://github.com/owner/repo/commit/${sha}` }
    const body = JSON.stringify({ run_meta: { ...RUN, schema_version: 3 }, commit, records: [record] })
    const always = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
    return (await fetch(`${serving.url}/api/ingest`, { method: 'POST', headers: { ...always, ...headers }, body }))
      .status
  }
  const at = (producedAt: string): Readonly<Record<string, string>> => ({
    'vortex-ingest-generation': JSON.stringify({ producedAt }),
  })
  const [one, other] = ['a'.repeat(40), 'b'.repeat(40)]

  t.equal(await post(one, 1, { 'idempotency-key': 'k', ...at('2026-01-01T00:00:00Z') }), 200)
  t.equal(await post(other, 9, { 'idempotency-key': 'k', ...at('2026-01-01T00:00:00Z') }), 200)
  t.equal(await post(other, 5, { 'idempotency-key': 'z', ...at('2020-01-01T00:00:00Z') }), 200)
  t.equal(await post(one, 2, { 'idempotency-key': 'k', ...at('2026-02-01T00:00:00+23:59') }), 200)
  t.strictSame(await sizes(), ['a=1', 'b=9'])

  t.equal(await post(one, 3, at('2099-12-31T00:00:00Z')), 200)
  t.equal(await post(one, 4, at(new Date().toISOString())), 200)
  t.strictSame(await sizes(), ['a=4', 'b=9'], 'a time after that of the database does not block later envelopes')
  for (const wrong of ['', '{}', '[]', '{"producedAt":"now"}', '{"producedAt":"2026-01-01T00:00:00Z","ci":{"run":1}}'])
    t.equal(await post(one, 7, { 'vortex-ingest-generation': wrong }), 400, wrong)
  t.equal(await post(one, 7, { 'idempotency-key': '' }), 400)
  t.strictSame(await sizes(), ['a=4', 'b=9'])
})

const attempt = (run: number, attempt: number): Readonly<Record<string, string>> => ({
  GITHUB_ACTIONS: 'true',
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'owner/repo',
  GITHUB_RUN_ID: String(run),
  GITHUB_RUN_ATTEMPT: String(attempt),
})

t.test(
  'attempts of a CI run may arrive in any order: the last attempt counts, unless --force-older says otherwise',
  async t => {
    const serve = async (t: Test, cwd: string): Promise<Place> => {
      const { args, sizes } = await database()
      const serving = await startServe(['--store', args[1]!, '--insecure-local', '--listen', '127.0.0.1:0'], { cwd })
      t.teardown(() => stop(serving))
      return { args: ['--server', serving.url], sizes }
    }
    const embedded = (_t: Test, cwd: string): Promise<Place> => {
      const sizes = async (): Promise<readonly string[]> => {
        const stored: string[] = []
        for (const [file, values] of [
          ['first.jsonl', 1],
          ['second.jsonl', 2],
        ] as const) {
          const { code } = await runCli(['verify', file, '--embedded', 'db'], { cwd })
          if (code === 0) stored.push(`a=${values}`)
        }
        return stored
      }
      return Promise.resolve({ args: ['--embedded', 'db'], sizes })
    }
    for (const [kind, open] of [
      ['postgres', () => database()],
      ['server', serve],
      ['embedded', embedded],
    ] as const)
      await t.test(kind, async t => {
        const cwd = t.testdir({})
        const { args, sizes } = await open(t, cwd)
        write(cwd, 'first.jsonl', { a: 1 })
        write(cwd, 'second.jsonl', { a: 2 })
        const pushed = (file: string, env: Readonly<Record<string, string>>, ...more: string[]): Promise<CliResult> =>
          push(cwd, [file, ...args, '--format', 'json', ...more], env)

        t.equal((await pushed('second.jsonl', attempt(7, 2))).code, 0)
        const late = await pushed('first.jsonl', attempt(7, 1))
        t.equal(late.code, 0, late.stderr)
        const inWords = await push(cwd, ['first.jsonl', ...args], attempt(7, 1))
        t.match(inWords.stdout, /^ingested 1 record .* \(0 inserted, 0 updated, 1 left out\) in /m)
        t.match(JSON.parse(late.stdout), { targets: [{ ordered: true, superseded: 1 }] })
        t.match(late.stderr, /^warning: 1 record left out/m)
        t.strictSame(await sizes(), ['a=2'])

        const forced = await pushed('first.jsonl', attempt(7, 1), '--force-older')
        t.match(JSON.parse(forced.stdout), { targets: [{ ordered: true, superseded: 0 }] })
        t.strictSame(await sizes(), ['a=1'])
        await pushed('second.jsonl', attempt(7, 3))
        t.strictSame(await sizes(), ['a=2'], 'a push after that is newer again')
      })
  },
)

t.test('push says when a target does not order deliveries', async t => {
  const cwd = t.testdir({})
  const { args, name } = await database()
  await postgres.sql('DROP SCHEMA vortex_ingest CASCADE', name)
  write(cwd, 'first.jsonl', { a: 1 })
  const { code, stdout, stderr } = await push(cwd, ['first.jsonl', ...args, '--format', 'json', '--verbose'])
  t.equal(code, 0, stderr)
  t.match(JSON.parse(stdout), { targets: [{ ordered: false }] })
  t.match(stderr, /deliveries are not ordered: a late one may replace newer values/)

  const url = args[1]!
  const serving = await startServe(['--store', url, '--listen', '127.0.0.1:0', '--insecure-local'], { cwd })
  t.match(
    serving.printed().stderr,
    /^warning: .*a late delivery can replace newer values; `vortex-ingest migrate DSN --ordering`/m,
  )
  const doctor = await runCli(['doctor', '--server', serving.url], { cwd, env: { INGEST_BEARER_TOKEN: TOKEN } })
  t.match(doctor.stdout, /health +a late delivery can replace newer values there/)
  await stop(serving)
})

t.test('an archive replaces nothing, so nothing is said of its order', async t => {
  const cwd = t.testdir({})
  write(cwd, 'first.jsonl', { a: 1 })
  const archive = ['--state', 'state', '--archive', 'kept', '--format', 'json', '--verbose']
  const { code, stdout, stderr } = await push(cwd, ['first.jsonl', ...archive])
  t.equal(code, 0, stderr)
  t.match(JSON.parse(stdout), { targets: [{ ordered: null }] })
  t.notMatch(stderr, /not ordered/)
})

t.test('a database whose trigger drops rows fails the push, stores nothing and moves no watermark', async t => {
  const cwd = t.testdir({})
  const { args, name, sizes } = await database()
  await postgres.sql(
    `CREATE FUNCTION drops() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
     CREATE TRIGGER drops BEFORE INSERT ON compression_sizes FOR EACH ROW WHEN (NEW.dataset = 'b') EXECUTE FUNCTION drops()`,
    name,
  )
  write(cwd, 'some.jsonl', { a: 1, b: 1 })
  const { code, stderr } = await push(cwd, ['some.jsonl', ...args, '--state', 'state', '--allow-failure'])
  t.equal(code, 78)
  t.match(stderr, /^error: .*compression_sizes holds only 1 of the 2 rows that were sent; nothing was changed$/m)
  t.strictSame(await sizes(), [])
  const status = await onState(cwd, ['status', '--format', 'json'])
  t.match(JSON.parse(status.stdout), { targets: [{ lag: { records: 2 } }] })
})
