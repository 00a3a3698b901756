/** Where a value comes from: what pushes leave in databases, servers, states and archives, and what `lineage` says about it. */

import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { runningHash64, digestText } from '../../src/contract/hash64.js'
import type { LineageReport } from '../../src/reports/lineage.js'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { json, startHttpServer } from '../fixtures/http-server.js'
import { jsonl, SHA, size, writeCommit } from '../fixtures/records.js'
import { startMigratedPostgres, type Database } from './fixtures/database.js'
import { schemaErrors } from './fixtures/schema.js'
import { startServe, stop, TOKEN } from './fixtures/serve.js'

const { server, createDatabase } = await startMigratedPostgres(t)

/** The variables of the second attempt of a run. */
const GITHUB = {
  ...{ GITHUB_ACTIONS: 'true', GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'o/r' },
  ...{ GITHUB_RUN_ID: '77', GITHUB_RUN_ATTEMPT: '2', GITHUB_WORKFLOW_REF: 'o/r/.github/workflows/bench.yml@main' },
}
const RUN = { benchmark_id: 'bench.yml@77', producer: 'GitHub Actions https://github.com/o/r', run: 77, attempt: 2 }
const RUN_URL = 'https://github.com/o/r/actions/runs/77/attempts/2'

type Env = Readonly<Record<string, string>>

function push(cwd: string, args: readonly string[], env: Env = {}): Promise<CliResult> {
  const all = ['push', '--commit', writeCommit(cwd), '--retry-deadline', '1', ...args]
  return runCli(all, { cwd, env: { INGEST_BEARER_TOKEN: TOKEN, ...env } })
}

async function lineage(t: Test, cwd: string, args: readonly string[]): Promise<LineageReport> {
  const { code, stdout, stderr } = await runCli(['lineage', ...args, '--format', 'json'], { cwd })
  t.equal(code, 0, stderr)
  t.strictSame(schemaErrors('lineage-report', stdout), [])
  return JSON.parse(stdout) as LineageReport
}

/** The ids of the records of a file. */
async function idsOf(cwd: string, file: string): Promise<readonly string[]> {
  return (await runCli(['id', file], { cwd })).stdout.trim().split('\n')
}

async function hashOf(path: string): Promise<string> {
  const hash = await runningHash64()
  hash.update(readFileSync(path))
  return `xxh64:${digestText(hash.digest())}`
}

/** The delivered rows as text, with everything that was stored about them. */
async function stored({ sql }: Pick<Database, 'sql'>): Promise<string> {
  return JSON.stringify(await sql('SELECT * FROM vortex_ingest.deliveries'))
}

const sizes = (...values: readonly [string, number][]): string =>
  jsonl(values.map(([dataset, value_bytes]) => size({ dataset, value_bytes, uncompressed_bytes: 9 })))

t.test(
  'a value leads to its CI run, its file and its lines, from the database, a server, the state and an archive',
  async t => {
    const cwd = t.testdir({ results: {} })
    const database = await createDatabase()
    const file = join(cwd, 'results', 'night.jsonl')
    const args = [file, '--postgres', database.url, '--archive', 'archive', '--state', 'state']
    writeFileSync(file, sizes(['a', 1], ['b', 1]))
    t.match(await push(cwd, args, { ...GITHUB, GITHUB_RUN_ATTEMPT: '1' }), { code: 0 })
    const oldHash = await hashOf(file)
    appendFileSync(file, sizes(['a', 2], ['c', 1]))
    t.match(await push(cwd, args, GITHUB), { code: 0 })
    const newHash = await hashOf(file)
    const [a = '', b = ''] = await idsOf(cwd, file)

    const newer = { name: 'night.jsonl', hash: newHash, first_line: 3, last_line: 4 }
    const older = { name: 'night.jsonl', hash: oldHash, first_line: 1, last_line: 2 }
    const facts = { records: { compression_size: 2 }, tool_version: /^vortex-ingest\/\d/, source_count: 1 }
    const deliveries = [
      { ...RUN, ...facts, stored: 1, run_url: RUN_URL, sources: [newer], produced_at: /Z$/ },
      { ...RUN, ...facts, attempt: 1, stored: 0, run_url: RUN_URL.replace('/2', '/1'), sources: [older] },
    ]
    const serving = await startServe(
      ['--store', server.url(database.name), '--insecure-local', '--listen', '127.0.0.1:0'],
      { cwd },
    )
    t.teardown(() => stop(serving))
    const places = [
      ['--postgres', database.url],
      ['--server', serving.url],
      ['--state', 'state'],
      ['--archive', 'archive'],
    ]
    for (const place of places)
      await t.test(place[0]!, async t => {
        const found = await lineage(t, cwd, [a, ...place])
        t.match(found, { commit: SHA, measurement: { id: a, kind: 'compression_size' }, deliveries })
        t.equal(found.deliveries.length, 2, 'both deliveries have the measurement')
        const other = await lineage(t, cwd, [b, ...place])
        t.match(other.deliveries, [{ attempt: 1, stored: 1 }])
        t.equal(other.deliveries.length, 1)
        const all = await lineage(t, cwd, [SHA.slice(0, 9), ...place])
        t.match(all, { commit: SHA, measurement: null, deliveries: [{ attempt: 2 }, { attempt: 1 }] })
      })
    const [found] = (await lineage(t, cwd, [a, ...places[0]!])).deliveries
    t.match(found, { contract_version: 3, target: /^postgres:/, applied_at: /Z$/ })
    t.notMatch(found?.target, server.password)
    const text =
      (await stored(database)) +
      readFileSync(
        join(cwd, 'archive', 'compression_sizes', SHA, `${'0'.repeat(16)}-${'0'.repeat(15)}2.jsonl.gz`),
      ).toString('latin1')
    t.notMatch(text, cwd, 'no folder of the machine')
    t.notMatch(text, server.password, 'no secret')

    const human = await runCli(['lineage', a, '--postgres', database.url], { cwd })
    t.match(human.stdout, `compression_size ${a} of commit ${SHA} in`)
    t.match(
      human.stdout,
      /bench\.yml@77 · GitHub Actions https:\/\/github\.com\/o\/r, run 77, attempt 2\n  value     the stored value\n/,
    )
    t.match(human.stdout, `  run       ${RUN_URL}\n  source    night.jsonl, lines 3 to 4, ${newHash}\n`)
    t.match(human.stdout, /attempt 1\n  value     replaced by a newer delivery\n/)
  },
)

t.test('what was queued and is drained from another folder leads to the push that queued it', async t => {
  const cwd = t.testdir({ elsewhere: {} })
  const database = await createDatabase()
  writeFileSync(join(cwd, 'first.jsonl'), sizes(['a', 1]))
  writeFileSync(join(cwd, 'second.jsonl'), sizes(['b', 1], ['c', 1]))
  await server.sql(`ALTER DATABASE ${database.name} ALLOW_CONNECTIONS false`)
  const target = ['--postgres', database.url]
  const down = await push(cwd, ['first.jsonl', 'second.jsonl', ...target, '--state', 'state'], GITHUB)
  t.not(down.code, 0)
  await server.sql(`ALTER DATABASE ${database.name} ALLOW_CONNECTIONS true`)
  const drained = await runCli(['drain', ...target, '--state', '../state'], { cwd: join(cwd, 'elsewhere') })
  t.equal(drained.code, 0, drained.stderr)
  const { deliveries } = await lineage(t, cwd, [SHA, ...target])
  t.equal(deliveries.length, 1)
  const source = async (name: string, last_line: number) => ({
    ...{ name, first_line: 1, last_line, hash: await hashOf(join(cwd, name)) },
  })
  const sources = [await source('first.jsonl', 1), await source('second.jsonl', 2)]
  t.match(deliveries, [{ ...RUN, run_url: RUN_URL, stored: 3, sources, source_count: 2 }])
})

t.test('a delivery that was killed after it was applied leaves one row when it is recovered', async t => {
  const database = await createDatabase()
  const cwd = t.testdir({ 'f.jsonl': sizes(['a', 1]) })
  const args = ['f.jsonl', '--postgres', database.url, '--state', 'state']
  const killed = await push(cwd, args, { ...GITHUB, VORTEX_INGEST_TEST_FAIL_POINT: 'postgres.write=kill-after' })
  t.equal(killed.signal, 'SIGKILL', killed.stderr)
  t.equal((await lineage(t, cwd, [SHA, '--postgres', database.url])).deliveries.length, 1, 'it was applied')
  const recovered = await runCli(['recover', '--postgres', database.url, '--state', 'state'], { cwd })
  t.equal(recovered.code, 0, recovered.stderr)
  t.match(recovered.stdout + recovered.stderr, /recovered|delivered again/)
  const { deliveries } = await lineage(t, cwd, [SHA, '--postgres', database.url])
  t.match(deliveries, [{ ...RUN, stored: 1, source_count: 1 }])
  t.equal(deliveries.length, 1)
})

t.test('what comes over HTTP has the origin of the push, and without the header what the envelope says', async t => {
  const cwd = t.testdir({ 'f.jsonl': sizes(['a', 1]) })
  const serving = await startServe(['--store', 'store', '--listen', '127.0.0.1:0'], { cwd })
  t.teardown(() => stop(serving))
  const file = join(cwd, 'f.jsonl')
  t.match(await push(cwd, [file, '--server', serving.url], GITHUB), { code: 0 })
  const { deliveries } = await lineage(t, cwd, [SHA, '--server', serving.url])
  t.match(deliveries, [
    {
      ...RUN,
      run_url: RUN_URL,
      sources: [{ name: 'f.jsonl', hash: await hashOf(file) }],
      target: serving.url,
      stored: 1,
    },
  ])
  let sent: { readonly headers: object; readonly body: Buffer | undefined } | undefined
  const other = await startHttpServer(t, {
    answer: (_index, { method, headers, body }) => {
      if (method !== 'POST') return json(404, {})
      sent = { headers, body }
      return json(200, { inserted: 1, updated: 0 })
    },
  })
  t.match(await push(cwd, [file, '--server', other.url], GITHUB), { code: 0 }, 'other servers ignore the header')
  t.notMatch(JSON.stringify(sent?.headers), cwd, 'no folder of the machine is sent')
  const { run_meta: meta, ...envelope } = JSON.parse(sent!.body!.toString()) as { readonly run_meta: object }
  const body = JSON.stringify({ run_meta: { ...meta, schema_version: 3 }, ...envelope })
  const ask = (headers: Env): Promise<Response> =>
    fetch(`${serving.url}/api/ingest`, {
      ...{ method: 'POST', body },
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
    })
  const odd = await ask({ 'vortex-ingest-origin': '{"sources":7}' })
  t.equal(odd.status, 400)
  t.match(await odd.json(), { error: 'malformed', message: /^vortex-ingest-origin must be JSON like/ })
  t.equal((await ask({})).status, 200)
  const [bare] = (await lineage(t, cwd, [SHA, '--server', serving.url])).deliveries
  t.match(bare, { benchmark_id: 'bench.yml@77', run_url: null, sources: [], source_count: 0, tool_version: null })
})

t.test(
  'a database without the columns of migration 009 works as before, and push -v, doctor and lineage say so',
  async t => {
    const database = await createDatabase()
    const cwd = t.testdir({ 'f.jsonl': sizes(['a', 1]) })
    const columns = [
      'benchmark_id',
      'run_url',
      'sources',
      'source_count',
      'records',
      'tool_version',
      'contract_version',
      'target',
    ]
    await database.sql(`ALTER TABLE vortex_ingest.deliveries ${columns.map(name => `DROP ${name}`).join(', ')}`)
    const place = ['--postgres', database.url]
    const old = await push(cwd, ['f.jsonl', ...place, '-v'], GITHUB)
    t.equal(old.code, 0, old.stderr)
    t.match(old.stderr, '1 inserted, 0 updated, where the values come from is not stored')
    t.match(await lineage(t, cwd, [SHA, ...place]), {
      deliveries: [{ producer: RUN.producer, run: 77, stored: 1, sources: [], run_url: null }],
    })
    const doctor = await runCli(['doctor', ...place], { cwd })
    t.match(doctor.stdout, /warn .*where values come from is not stored/)
    const migrated = await runCli(['migrate', server.url(database.name), '--ordering'], { cwd })
    t.equal(migrated.code, 0, migrated.stderr)
    const again = await push(cwd, ['f.jsonl', ...place, '-v'], GITHUB)
    t.notMatch(again.stderr, 'is not stored')
    t.match((await lineage(t, cwd, [SHA, ...place])).deliveries[0], { run_url: RUN_URL, stored: 1 })
  },
)

t.test('the role bench_read reads where values come from, and bench_ingest may not change it', async t => {
  const database = await createDatabase()
  const cwd = t.testdir({ 'f.jsonl': sizes(['a', 1]) })
  t.match(await push(cwd, ['f.jsonl', '--postgres', database.url], GITHUB), { code: 0 })
  await server.sql(`ALTER ROLE bench_read PASSWORD '${server.password}'`)
  const reader = server.url(database.name, 'bench_read')
  t.match((await lineage(t, cwd, [SHA, '--postgres', reader])).deliveries, [{ ...RUN }])
  for (const right of ['UPDATE', 'DELETE', 'TRUNCATE'])
    t.match(
      await database.sql(`SELECT has_table_privilege('bench_ingest', 'vortex_ingest.deliveries', '${right}') AS may`),
      [{ may: false }],
    )
})

t.test('nothing known, and other mistakes, are one clear line', async t => {
  const database = await createDatabase()
  await server.createDatabase('bare')
  const cwd = t.testdir({ 'f.jsonl': sizes(['a', 1]) })
  mkdirSync(join(cwd, 'empty'))
  t.match(await push(cwd, ['f.jsonl', '--postgres', database.url], GITHUB), { code: 0 })
  const [id = ''] = await idsOf(cwd, 'f.jsonl')
  const old = await startHttpServer(t, { answer: () => json(404, { error: 'not_found' }) })
  const place = ['--postgres', database.url]
  const cases: readonly [readonly string[], number, RegExp][] = [
    [['-123456789012345', ...place], 66, /^error: .* has no measurement -123456789012345\nhint: .*id FILE/],
    [['deadbeef', ...place], 78, /^error: no commit is stored for "deadbeef"\nhint: /],
    [[id, '--postgres', server.url('bare')], 78, /^error: .* stores no deliveries, .*\nhint: .*migrate DSN --ordering/],
    [[id, '--server', old.url], 78, /^error: .* cannot say where values come from: it answered 404\nhint: update/],
    [[id, '--state', 'empty'], 66, /^error: .*empty has no measurement/],
    [[SHA, '--archive', 'empty'], 66, /^error: .*empty has no commit/],
    [[id, '--archive', 'gone'], 69, /^error: the folder gone does not exist/],
    [[id, '--archive', 'empty', '--state', 'empty'], 2, /^error: --archive and --state name two places\nhint: /],
    [[], 2, /^error: missing required argument/],
  ]
  for (const [args, code, says] of cases) {
    const result = await runCli(['lineage', ...args], { cwd })
    t.equal(result.code, code, args.join(' '))
    t.match(result.stderr, says)
    t.equal(result.stderr.trim().split('\n').length, 2, 'one line and one hint')
  }
  await database.sql('DELETE FROM vortex_ingest.delivered_ids; DELETE FROM vortex_ingest.deliveries')
  const pruned = await runCli(['lineage', id, ...place], { cwd })
  t.equal(pruned.code, 66)
  t.match(pruned.stderr, /has the measurement -?\d+, but does not say where it comes from\nhint: .*pruned/)
  const env = { VORTEX_INGEST_STATE: 'empty' }
  t.match(
    await runCli(['lineage', id, ...place], { cwd, env }),
    { code: 66, stderr: /but does not say/ },
    'a flag wins',
  )
})
