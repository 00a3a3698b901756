/** Files of one contract version into targets of another one, through the whole program. */

import t from 'tap'
import { runCli } from '../fixtures/cli.js'
import { applied, json, startAnswering } from '../fixtures/http-server.js'
import { startMigratedPostgres, type Database } from './fixtures/database.js'
import { push, pushReported, TOKEN } from './fixtures/pushing.js'
import { access, jsonl, query, size } from '../fixtures/records.js'
import { schemaErrors } from './fixtures/schema.js'
import { startServe, stop, TOKEN as SERVE_TOKEN } from './fixtures/serve.js'

const FILES = {
  'v1.jsonl': jsonl([query(), size(), access()]),
  'v3.jsonl': jsonl([
    query(),
    size({ uncompressed_bytes: 16384 }),
    access({ open_mode: 'cached' }),
    access({ open_mode: 'reopen' }),
  ]),
  'any.jsonl': jsonl([query()]),
}

/** The part of v3.jsonl that a target of version 1 cannot hold. */
const DOWNGRADE = {
  contract_version: 1,
  fields_left_out: [
    { kind: 'compression_size', field: 'uncompressed_bytes', records: 1 },
    { kind: 'random_access_time', field: 'open_mode', records: 1 },
  ],
  records_not_sent: [{ kind: 'random_access_time', field: 'open_mode', records: 1 }],
}

const { createDatabase } = await startMigratedPostgres(t)

type Stated = { readonly run_meta: { readonly schema_version: number } }

/** A database as it was before version 2. */
async function oldDatabase(): Promise<Database> {
  const database = await createDatabase()
  await database.sql('ALTER TABLE random_access_times DROP COLUMN open_mode')
  await database.sql('ALTER TABLE compression_sizes DROP COLUMN uncompressed_bytes')
  return database
}

const env = { INGEST_BEARER_TOKEN: SERVE_TOKEN }

t.test('a server of version 1', async t => {
  const cwd = t.testdir(FILES)
  const serving = await startServe(['--listen', '0', '--store', 'old', '--contract', '1'], { cwd })
  const args = ['--server', serving.url]

  await t.test('a newer file is refused before anything is sent, with what would be lost', async t => {
    const { code, stderr } = await push(cwd, ['v3.jsonl', ...args], { env })
    t.equal(code, 78)
    t.match(
      stderr,
      /is at contract version 1 but the records are of version 3: the target lacks uncompressed_bytes of compression_size, open_mode of random_access_time/,
    )
    t.match(stderr, /hint: .*--downgrade/)
    const health = (await (await fetch(`${serving.url}/health`)).json()) as { rows: Record<string, number> }
    t.equal(health.rows['commits'], 0)
  })

  await t.test('--downgrade sends what the server can hold, and reports the rest every time', async t => {
    for (const inserted of [3, 0]) {
      const { code, stdout, stderr, target } = await pushReported(cwd, ['v3.jsonl', ...args, '--downgrade'], { env })
      t.equal(code, 0, stderr)
      t.strictSame(schemaErrors('push-report', stdout), [])
      t.match(target, { records: 3, inserted, downgrade: DOWNGRADE })
    }
    const human = await push(cwd, ['v3.jsonl', ...args, '--downgrade'], { env })
    t.match(
      human.stderr,
      /warning: .* is at contract version 1: --downgrade left out uncompressed_bytes of 1 compression_size record/,
    )
    t.match(human.stderr, /did not send 1 random_access_time record whose open_mode the target cannot store/)
  })

  await t.test('verify compares what the server can hold, and says what it could not compare', async t => {
    const { code, stdout, stderr } = await runCli(['verify', 'v3.jsonl', ...args], { cwd, env })
    t.equal(code, 0, stdout + stderr)
    t.match(stdout + stderr, /not compared: .*uncompressed_bytes/)
    t.match(stdout + stderr, /not compared: 1 random_access_time record/)
  })

  await t.test('files that fit version 1 go there as they are', async t => {
    for (const file of ['v1.jsonl', 'any.jsonl']) t.equal((await push(cwd, [file, ...args], { env })).code, 0, file)
  })
  await stop(serving)
})

t.test('a server of version 3 takes no older file, but one that fits both versions', async t => {
  const cwd = t.testdir(FILES)
  const serving = await startServe(['--listen', '0', '--store', 'new'], { cwd })
  const args = ['--server', serving.url]
  const old = await push(cwd, ['v1.jsonl', ...args], { env })
  t.equal(old.code, 78)
  t.match(old.stderr, /is at contract version 3 and accepts no older records, but these are of version 1/)
  for (const file of ['v3.jsonl', 'any.jsonl']) t.equal((await push(cwd, [file, ...args], { env })).code, 0, file)
  await stop(serving)
})

t.test('a server that states no version says it by refusing a newer envelope', async t => {
  const cwd = t.testdir(FILES)
  const tooNew = json(409, { error: 'schema_version_too_new', expected: 1, got: 3 })
  const server = await startAnswering(t, tooNew, applied)
  t.equal((await push(cwd, ['any.jsonl', '--server', server.url])).code, 0)
  t.strictSame(
    server.asked.map(({ body }) => (JSON.parse(String(body)) as Stated).run_meta.schema_version),
    [3, 1],
  )
  const refusing = await startAnswering(t, tooNew)
  const { code, stderr } = await push(cwd, ['v3.jsonl', '--server', refusing.url])
  t.equal(code, 78)
  t.match(stderr, /is at contract version 1 but the records are of version 3/)
  t.equal(refusing.asked.length, 1, 'it is not tried again')
})

t.test('each of two targets of different versions is given what it can hold', async t => {
  const cwd = t.testdir(FILES)
  const [old, current] = [await oldDatabase(), await startServe(['--listen', '0', '--store', 'new'], { cwd })]
  const both = ['v3.jsonl', '--server', current.url, '--postgres', old.url, '--require', 'all']
  const refused = await pushReported(cwd, both, { env })
  t.equal(refused.code, 78)
  t.match(refused.report.targets, [
    { name: 'server', records: 4, downgrade: null },
    { name: 'postgres', records: 0, failed: { code: 'schema_version' } },
  ])
  t.equal(await old.countRows(), 0)
  const sent = await pushReported(cwd, [...both, '--downgrade'], { env })
  t.equal(sent.code, 0, sent.stderr)
  t.match(sent.report.targets, [
    { records: 4, downgrade: null },
    { records: 3, inserted: 3, downgrade: DOWNGRADE },
  ])
  await stop(current)
})

t.test('with state', async t => {
  const cwd = t.testdir(FILES)
  const state = ['--state', 'state']
  const database = await oldDatabase()
  const target = ['--postgres', database.url]
  const drain = (...more: readonly string[]): ReturnType<typeof runCli> =>
    runCli(['drain', ...state, ...target, ...more], { cwd, env: { INGEST_BEARER_TOKEN: TOKEN } })

  await t.test('records that the target cannot hold stay queued', async t => {
    const { code, stderr } = await push(cwd, ['v3.jsonl', ...target, ...state])
    t.equal(code, 78, stderr)
    t.equal(await database.countRows(), 0)
    t.equal((await drain()).code, 78)
  })

  await t.test('drain sends everything to a target that was upgraded meanwhile', async t => {
    await database.sql('ALTER TABLE compression_sizes ADD COLUMN uncompressed_bytes bigint')
    await database.sql(`ALTER TABLE random_access_times ADD COLUMN open_mode text NOT NULL DEFAULT 'cached'`)
    const { code, stderr } = await drain()
    t.equal(code, 0, stderr)
    t.equal(await database.countRows(), 4)
    t.strictSame(await database.sql('SELECT open_mode FROM random_access_times ORDER BY open_mode'), [
      { open_mode: 'cached' },
      { open_mode: 'reopen' },
    ])
  })

  await t.test('drain --downgrade delivers what an older target can hold, and reports the rest', async t => {
    const older = await oldDatabase()
    const args = ['drain', ...state, '--postgres', older.url, '--downgrade', '--format', 'json']
    const { code, stdout, stderr } = await runCli(args, { cwd })
    t.equal(code, 0, stderr)
    t.strictSame(schemaErrors('drain-report', stdout), [])
    t.match(JSON.parse(stdout), { targets: [{ records: 3, downgrade: DOWNGRADE }] })
    t.equal(await older.countRows(), 3)
  })
})
