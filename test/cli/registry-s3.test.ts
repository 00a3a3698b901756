/** Registered targets of a state in S3, and a bucket in S3 that goes away: the real program against a real server. */

import t from 'tap'
import { runCli, startCli, untilDone, type CliResult } from '../fixtures/cli.js'
import { applied, json, startAnswering } from '../fixtures/http-server.js'
import { AWS_ENVIRONMENT, findMoto, NO_MOTO, startMoto, type Moto } from '../fixtures/moto.js'
import { startTcpProxy } from '../fixtures/tcp-proxy.js'
import { startMigratedPostgres, type MigratedPostgres } from './fixtures/database.js'
import { pushArgs, TOKEN } from './fixtures/pushing.js'
import { jsonl, oneOfEach } from '../fixtures/records.js'
import { schemaErrors } from './fixtures/schema.js'

const python = await findMoto()
if (python === undefined) t.pass('registered targets of a state in S3', { skip: NO_MOTO })
else await suite(await startMoto(t, python), await startMigratedPostgres(t))

async function suite(moto: Moto, postgres: MigratedPostgres): Promise<void> {
  const place = async (port = moto.port): Promise<string> =>
    `s3://${await moto.createBucket()}/at?endpoint=http://127.0.0.1:${port}&path-style=true&region=us-east-1`

  await t.test('a push to a state in S3 goes to its registered targets: http, Postgres and an archive', async t => {
    const { url, countRows } = await postgres.createDatabase()
    // A connectivity check sends `null`, a push sends an envelope.
    const site = await startAnswering(t, (response, asked) =>
      String(asked.body) === 'null' ? json(400, { error: 'malformed' })(response, asked) : applied(response, asked),
    )
    const cwd = t.testdir({ 'f.jsonl': jsonl(oneOfEach()) })
    // The password stays in a variable.
    const [, password = ''] = /:\/\/[^:]+:([^@]+)@/.exec(url) ?? []
    const env = {
      ...AWS_ENVIRONMENT,
      VORTEX_INGEST_STATE: await place(),
      SITE: TOKEN,
      DB: decodeURIComponent(password),
    }
    const run = (...args: readonly string[]): Promise<CliResult> => runCli(args, { cwd, env, timeoutMs: 60_000 })
    const done = async (...args: readonly string[]): Promise<void> => {
      const { code, stderr } = await run(...args)
      t.equal(code, 0, stderr)
    }
    await done('targets', 'add', 'site', 'server', site.url, '--secret-env', 'SITE')
    await done('targets', 'add', 'db', 'postgres', url.replace(`:${password}@`, '@'), '--secret-env', 'DB')
    await done('buckets', 'add', 'cold', '--root', await place())
    await done('targets', 'add', 'keep', 'archive', '--bucket', 'cold')
    await done('targets', 'add', 'own', 'archive', '--bucket', 'primary')
    await done(...pushArgs(cwd, 'f.jsonl'))
    t.equal(await countRows(), 5)
    t.equal(site.asked.length, 1)
    const listed = await run('targets', 'ls', '--format', 'json')
    t.same(schemaErrors('targets-ls-report', listed.stdout), [])
    const { targets } = JSON.parse(listed.stdout) as { targets: readonly { name: string; lag: object }[] }
    t.same(
      targets.map(({ name }) => name),
      ['db', 'keep', 'own', 'site'],
    )
    for (const { lag } of targets) t.match(lag, { records: 0, commits: 0, oldest: null })
    t.match(targets, [{ reachable: true }, { reachable: true }, { reachable: true }, {}])
    t.notMatch(listed.stdout, password)
    const { stdout } = await run('journal')
    t.equal(stdout, '')
  })

  await t.test('two processes at once on a state in S3: one adds a name, and one removes it', async t => {
    const env = { ...AWS_ENVIRONMENT, VORTEX_INGEST_STATE: await place() }
    const root = await place()
    for (const args of [
      ['buckets', 'add', 'cold', '--root', root],
      ['targets', 'add', 'keep', 'archive', '--bucket', 'cold'],
      ['targets', 'rm', 'keep'],
      ['buckets', 'rm', 'cold'],
    ]) {
      const results = await Promise.all([runCli(args, { env }), runCli(args, { env })])
      t.same(results.map(({ code }) => code).sort(), [0, 78], results.map(({ stderr }) => stderr).join())
    }
  })

  await t.test(
    'a bucket that goes away in the middle of a push is in journal, health and targets ls, and comes back',
    async t => {
      const cwd = t.testdir({ 'f.jsonl': jsonl(oneOfEach()) })
      const env = { ...AWS_ENVIRONMENT, VORTEX_INGEST_STATE: 'state' }
      const run = (...args: readonly string[]): Promise<CliResult> => runCli(args, { cwd, env, timeoutMs: 60_000 })
      const proxy = await startTcpProxy(t, { port: moto.port })
      const root = await place(proxy.port)
      await run('buckets', 'add', 'cold', '--root', root)
      t.equal((await run('targets', 'add', 'keep', 'archive', '--bucket', 'cold')).code, 0)
      // The first object is through by then, and the last is not.
      proxy.hold(3_000)
      const push = startCli(pushArgs(cwd, 'f.jsonl'), { cwd, env, timeoutMs: 60_000 })
      await untilDone(push, () => proxy.forwarded.up >= 3_000)
      await proxy.close()
      const { code, stderr } = await push.result
      t.equal(code, 75, stderr)

      t.match((await run('journal', '--target', 'keep')).stdout, /target keep: deliver \(try 1\) target_failed/)
      t.match((await run('journal', '--target', 'cold')).stdout, /bucket cold: put \(try 1\) storage_failed/)
      t.match((await run('journal', 'health')).stdout, /keep +target +down +1 /)
      t.match((await run('journal', 'health')).stdout, /cold +bucket +down +1 /)
      t.match((await run('targets', 'ls')).stdout, /keep +archive +cold +yes +no +5 of 1 commit +\S+ target_failed/)

      await startTcpProxy(t, { port: moto.port, ownPort: proxy.port })
      t.match(await run('drain'), { code: 0, stdout: /5 records/ })
      t.match((await run('targets', 'ls')).stdout, /keep +archive +cold +yes +yes +nothing/)
      for (const name of ['keep', 'cold'])
        t.match((await run('journal', 'health')).stdout, new RegExp(`${name} +\\w+ +recovered`))
    },
  )
}
