/** `verify --state` and `--rewind`: after a database was restored from a backup, the next drain delivers what is missing. */

import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { COMMIT, jsonl, manyQueries, query, SHA, writeCommit } from '../fixtures/records.js'
import { queryEmbedded, startMigratedPostgres, type Database } from './fixtures/database.js'
import { writeFile } from './fixtures/pushing.js'
import { schemaErrors } from './fixtures/schema.js'
import { startServe, stop, TOKEN } from './fixtures/serve.js'
import { onState, STATE } from './fixtures/state.js'

const { server, createDatabase } = await startMigratedPostgres(t)
const OTHER_SHA = 'f'.repeat(40)
const env = { DB_PASSWORD: server.password, INGEST_BEARER_TOKEN: TOKEN }

async function succeed(cwd: string, ...args: readonly string[]): Promise<CliResult> {
  const result = await onState(cwd, args, { env })
  if (result.code !== 0) throw new Error(`${args.join(' ')}: ${result.stdout}${result.stderr}`)
  return result
}

/** Pushes a file to the registered targets. */
function push(cwd: string, file: string, sha = SHA): Promise<CliResult> {
  return succeed(cwd, 'push', file, '--benchmark-id', 'bench', '--commit', writeCommit(cwd, { ...COMMIT, sha }))
}

function addDatabase(cwd: string, { url }: Database): Promise<CliResult> {
  const address = url.replace(`:${server.password}@`, '@')
  return succeed(cwd, 'targets', 'add', 'db', 'postgres', address, '--secret-env', 'DB_PASSWORD')
}

function verify(cwd: string, ...args: readonly string[]): Promise<CliResult> {
  return onState(cwd, ['verify', ...args], { env })
}

type Checked = { readonly code: number | null; readonly targets: readonly object[] }

async function verifyJson(cwd: string, ...args: readonly string[]): Promise<Checked> {
  const { code, stdout, stderr } = await verify(cwd, '--format', 'json', ...args)
  const errors = schemaErrors('verify-state-report', stdout)
  if (errors.length > 0) throw new Error(`${JSON.stringify(errors)} ${stderr}`)
  return { code, ...(JSON.parse(stdout) as Pick<Checked, 'targets'>) }
}

async function copyDatabase(from: string, to: string): Promise<void> {
  await server.sql(`DROP DATABASE IF EXISTS ${to} WITH (FORCE)`)
  await server.sql(`CREATE DATABASE ${to} TEMPLATE ${from}`)
}

t.test('a database restored from a backup gets what it lacks, and then agrees with the state', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(3)) })
  const database = await createDatabase()
  await addDatabase(cwd, database)
  await succeed(cwd, 'targets', 'add', 'keep', 'archive', '--bucket', 'primary')
  await push(cwd, 'f.jsonl')
  await copyDatabase(database.name, 'backup')
  appendFileSync(join(cwd, 'f.jsonl'), jsonl(manyQueries(6).slice(3)))
  await push(cwd, 'f.jsonl')
  await push(
    cwd,
    writeFile(cwd, 'g.jsonl', jsonl([1, 2].map(query_idx => query({ commit_sha: OTHER_SHA, query_idx })))),
    OTHER_SHA,
  )
  t.match(await verifyJson(cwd), { code: 0, targets: [{ name: 'db', compared: 8, commits: 2, findings: [] }] })

  await copyDatabase('backup', database.name)
  const findings = [
    { commit: SHA, compared: 6, missing: 3, different: 0, pruned: 0, rewound: null },
    { commit: OTHER_SHA, compared: 2, missing: 3, different: 0, pruned: 0, rewound: null },
  ]
  const lost = await verifyJson(cwd)
  t.match(lost, {
    code: 4,
    targets: [
      { missing: 6, findings },
      { name: 'keep', not_checkable: /cannot be read back/ },
    ],
  })
  t.match((await verify(cwd)).stderr, /^hint: add --rewind .*drain/m)
  t.match((await succeed(cwd, 'drain')).stdout, /nothing to drain/, 'verify alone moves nothing')

  const rewound = await verify(cwd, '--rewind', '--target', 'db')
  t.equal(rewound.code, 4)
  t.match(rewound.stdout, /0123456: 3 missing; watermark moved back to 3: the next drain delivers 3 records$/m)
  t.match(rewound.stdout, /fffffff: 3 missing; watermark moved back to 0: the next drain delivers 2 records$/m)
  const status = await succeed(cwd, 'status')
  t.match(status.stdout, /rewound postgres:.*moved back from 6 to 3/)
  t.match(status.stdout, /lacks 5 records/)
  t.match((await succeed(cwd, 'drain')).stdout, /5 records into postgres:.*\(5 inserted, 0 updated\)/)
  t.equal(await database.countRows(), 8)
  t.match(await verifyJson(cwd), { code: 0, targets: [{ missing: 0, findings: [] }] })
})

t.test('an older value of a restored database is replaced by the next drain', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query({ value_ns: 1 })]), 'g.jsonl': jsonl([query({ value_ns: 2 })]) })
  const database = await createDatabase()
  await addDatabase(cwd, database)
  await push(cwd, 'f.jsonl')
  await copyDatabase(database.name, 'backup')
  await push(cwd, 'g.jsonl')
  await copyDatabase('backup', database.name)

  const found = await verify(cwd, '--rewind')
  t.equal(found.code, 4)
  t.match(
    found.stdout,
    /1 with another value, which is replaced unless a newer .*; watermark moved back to 1: .* 1 record$/m,
  )
  await succeed(cwd, 'drain')
  t.match(await database.sql('SELECT value_ns::int AS value FROM query_measurements'), [{ value: 2 }])
  t.match(await verifyJson(cwd), { code: 0, targets: [{ missing: 0, different: 0 }] })
})

t.test('a late attempt of a CI run, whose values were left out, is no difference', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query({ value_ns: 1 })]), 'g.jsonl': jsonl([query({ value_ns: 2 })]) })
  await succeed(cwd, 'targets', 'add', 'here', 'embedded', 'here')
  const commit = writeCommit(cwd, COMMIT)
  for (const [file, attempt] of [
    ['g.jsonl', '2'],
    ['f.jsonl', '1'],
  ] as const) {
    const actions = { GITHUB_ACTIONS: 'true', GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'o/r' }
    const run = { ...actions, GITHUB_RUN_ID: '7', GITHUB_RUN_ATTEMPT: attempt }
    const pushed = await onState(cwd, ['push', file, '--benchmark-id', 'bench', '--commit', commit], {
      env: { ...env, ...run },
    })
    t.equal(pushed.code, 0, pushed.stderr)
  }
  t.match(await verifyJson(cwd), { code: 0, targets: [{ compared: 1, different: 0 }] })
})

t.test('values that a newer push with another state stored are no difference, and are not rewound', async t => {
  const cwd = t.testdir({
    'f.jsonl': jsonl(manyQueries(3)),
    'g.jsonl': jsonl([query({ query_idx: 1, dataset_variant: 'variant-1', value_ns: 4711 })]),
  })
  const database = await createDatabase()
  await addDatabase(cwd, database)
  await push(cwd, 'f.jsonl')
  const elsewhere = ['--state', 'other', '--postgres', database.url, '--benchmark-id', 'bench']
  const commit = ['--commit', writeCommit(cwd, COMMIT)]
  const pushed = await runCli(['push', 'g.jsonl', ...elsewhere, ...commit], { cwd, env })
  t.equal(pushed.code, 0, pushed.stderr)
  t.match(await verifyJson(cwd, '--rewind'), { code: 0, targets: [{ different: 0, superseded: 1, findings: [] }] })
  t.match(
    (await verify(cwd)).stdout,
    /^verified: 3 measurements .* the state, except 1 that a newer delivery replaced$/m,
  )

  await database.sql('UPDATE query_measurements SET value_ns = 4711 WHERE query_idx = 2')
  t.match(await verifyJson(cwd), { code: 4, targets: [{ different: 1, superseded: 1 }] })
})

t.test(
  'another value stays in a target that does not order deliveries, because a newer push may have stored it',
  async t => {
    const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(3)) })
    const database = await createDatabase()
    await database.sql('DROP SCHEMA vortex_ingest CASCADE')
    await addDatabase(cwd, database)
    await push(cwd, 'f.jsonl')
    await database.sql('UPDATE query_measurements SET value_ns = 4711 WHERE query_idx = 1')
    const found = await verify(cwd, '--rewind')
    t.equal(found.code, 4)
    t.match(found.stdout, /0123456: 0 missing, 1 with another value, which is not replaced$/m)
    t.match((await succeed(cwd, 'drain')).stdout, /nothing to drain/)
  },
)

t.test('pruned records are reported, because they can be neither compared nor delivered', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(3)) })
  const database = await createDatabase()
  await addDatabase(cwd, database)
  await copyDatabase(database.name, 'backup')
  await push(cwd, 'f.jsonl')
  await succeed(cwd, 'state', 'prune')
  t.match(await verifyJson(cwd), { code: 66, targets: [{ compared: 0, missing: 0, pruned: 3 }] })
  t.match((await verify(cwd)).stdout, /^not compared: the records of .* were pruned from the state$/m)
  await copyDatabase('backup', database.name)
  const lost = await verify(cwd, '--rewind')
  t.equal(lost.code, 4)
  t.match(
    lost.stdout,
    /0123456: 1 missing; 3 earlier records were pruned: push their files again with --full-refresh$/m,
  )
  t.match(lost.stdout, /not compared: 3 records that were pruned from the state/)
})

t.test('a target that is down ends in 69, and the others are compared', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(3)) })
  const database = await createDatabase()
  await addDatabase(cwd, database)
  await succeed(cwd, 'targets', 'add', 'here', 'embedded', 'here')
  await push(cwd, 'f.jsonl')
  await server.sql(`ALTER DATABASE ${database.name} CONNECTION LIMIT 0`)
  const [down, here] = [
    { name: 'db', failed: { cause: 'down' } },
    { name: 'here', compared: 3, missing: 0 },
  ]
  t.match(await verifyJson(cwd), { code: 69, targets: [down, here] })
})

t.test('an embedded database and a server are compared and rewound as well', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(3)) })
  const database = await createDatabase()
  const serving = await startServe(['--store', database.url, '--listen', '127.0.0.1:0', '--contract', '1'], { cwd })
  await succeed(cwd, 'targets', 'add', 'here', 'embedded', 'here')
  await succeed(cwd, 'targets', 'add', 'there', 'server', serving.url)
  await push(cwd, 'f.jsonl')
  const loss = 'DELETE FROM query_measurements WHERE query_idx = 1'
  await database.sql(loss)
  await queryEmbedded(join(cwd, 'here'), loss)
  const targets = ['here', 'there'].map(name => ({
    name,
    missing: 1,
    findings: [{ rewound: { until: 0, records: 3 } }],
  }))
  t.match(await verifyJson(cwd, '--rewind'), { code: 4, targets })
  await succeed(cwd, 'drain')
  t.match(await verifyJson(cwd), { code: 0 })
  t.equal(await database.countRows(), 3)
  await stop(serving)
})

t.test('files and a state are not verified together, and one of them must be given', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(1)) })
  t.match(await verify(cwd, 'f.jsonl'), { code: 2, stderr: /--state is given together with files/ })
  t.match(await runCli(['verify'], { cwd }), { code: 2, stderr: /missing files/ })
  const variable = { VORTEX_INGEST_STATE: STATE[1]! }
  t.match(await runCli(['verify', 'f.jsonl'], { cwd, env: variable }), { stderr: /no embedded database/ })
})

t.test('a place without a state, and a target that the state does not know, are not verified', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(3)) })
  const { code, stderr } = await runCli(['verify', '--state', 'nothing'], { cwd })
  t.equal(code, 66)
  t.match(stderr, /^error: no push has used .* yet\nhint: /)
  const [database, other] = [await createDatabase(), await createDatabase()]
  await addDatabase(cwd, database)
  await push(cwd, 'f.jsonl')
  const elsewhere = await runCli(['verify', '--state', 'state', '--postgres', other.url], { cwd })
  t.equal(elsewhere.code, 66)
  t.match(elsewhere.stdout, /^not checkable: postgres: the state has delivered nothing to it$/m)
})
