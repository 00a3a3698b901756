/** `delete`: removes a bad push completely or not at all, with a record of it, and a later push of the commit works again. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCli, startCli, untilDone, type CliResult } from '../fixtures/cli.js'
import { COMMIT, jsonl, oneOfEach, query, SHA, size, writeCommit } from '../fixtures/records.js'
import { COUNT_ROWS, queryEmbedded, startMigratedPostgres, type Database } from './fixtures/database.js'
import { schemaErrors } from './fixtures/schema.js'

const OTHER = { ...COMMIT, sha: 'f'.repeat(40) }
const { server, createDatabase } = await startMigratedPostgres(t)
await server.sql(
  `ALTER ROLE bench_delete PASSWORD '${server.password}'; ALTER ROLE bench_read PASSWORD '${server.password}'`,
)

const loginOf = ({ name }: Database, role: string): readonly string[] => ['--postgres', server.url(name, role)]

type Pushing = {
  readonly commit?: typeof COMMIT
  readonly env?: Readonly<Record<string, string>>
  readonly more?: readonly string[]
}

async function push(
  cwd: string,
  lines: readonly string[],
  target: readonly string[],
  pushing: Pushing = {},
): Promise<CliResult> {
  const { commit = COMMIT, env = {}, more = [] } = pushing
  writeFileSync(join(cwd, 'f.jsonl'), jsonl(lines))
  const result = await runCli(['push', 'f.jsonl', '--commit', writeCommit(cwd, commit), ...target, ...more], {
    cwd,
    env,
  })
  if (result.code !== 0) throw new Error(result.stderr)
  return result
}

const deleting = (...more: readonly string[]): readonly string[] => ['delete', '--commit', SHA, ...more]

t.test(
  'Postgres: bench_delete deletes a commit with a record of it, other roles do not, and the commit can be pushed again',
  async t => {
    const cwd = t.testdir({})
    const database = await createDatabase()
    const into = ['--postgres', database.url]
    await push(cwd, oneOfEach(), into)
    await push(cwd, [size({ commit_sha: OTHER.sha })], into, { commit: OTHER })
    for (const role of ['bench_ingest', 'bench_read']) {
      const refused = await runCli(deleting(...loginOf(database, role), '--yes'), { cwd })
      t.match(refused, {
        code: 77,
        stderr: new RegExp(`^error: the role ${role} may not delete: .*\\nhint: log in as bench_delete`),
      })
    }
    const as = loginOf(database, 'bench_delete')
    const counted = await runCli(deleting(...as, '--dry-run', '--format', 'json'), { cwd })
    t.strictSame(schemaErrors('delete-report', counted.stdout), [])
    t.match(JSON.parse(counted.stdout), { dry_run: true, records: 5, deliveries: 1, run: null })
    t.match(await runCli(deleting(...as), { cwd }), { code: 2, stderr: /there is no terminal\nhint: add --yes/ })
    t.equal(await database.countRows(), 6, 'nothing is deleted so far')

    const done = await runCli(deleting(...as, '--yes', '--reason', 'wrong machine'), { cwd })
    t.match(
      done,
      {
        code: 0,
        stdout: new RegExp(`^deleted commit ${SHA} with 5 records from .*\\n  query_measurement +1 records\\n`),
      },
      done.stderr,
    )
    t.equal(await database.countRows(), 1)
    t.strictSame(await database.sql('SELECT commit_sha FROM commits'), [{ commit_sha: OTHER.sha }])
    t.match(
      await database.sql('SELECT commit_sha, run, records, reason, role, deleted_by FROM vortex_ingest.deletions'),
      [
        {
          commit_sha: SHA,
          run: null,
          records: { query_measurement: 1, compression_size: 1 },
          reason: 'wrong machine',
          role: 'bench_delete',
          deleted_by: /@/,
        },
      ],
    )
    t.match(await runCli(deleting(...as, '--yes'), { cwd }), { code: 78, stderr: /nothing of 0123\S+ is stored in/ })
    await push(cwd, oneOfEach(), into)
    t.equal(await database.countRows(), 6)
  },
)

t.test('--run deletes what one attempt of a CI run wrote last', async t => {
  const cwd = t.testdir({})
  const database = await createDatabase()
  const into = ['--postgres', database.url]
  const attempt = (number: number): Pushing => ({
    env: {
      GITHUB_ACTIONS: 'true',
      GITHUB_REPOSITORY: 'o/r',
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_RUN_ID: '7',
      GITHUB_RUN_ATTEMPT: String(number),
      GITHUB_SHA: SHA,
    },
    more: ['--no-compare'],
  })
  await push(cwd, [query({ dataset: 'kept' }), query({ dataset: 'both', value_ns: 1 })], into, attempt(1))
  await push(cwd, [query({ dataset: 'both', value_ns: 2 }), size()], into, attempt(2))
  const as = [...loginOf(database, 'bench_delete'), '--yes']
  t.match(await runCli(deleting(...as, '--run', '9'), { cwd }), { code: 78, stderr: /nothing of the run 9 of/ })
  const done = await runCli(deleting(...as, '--run', '7.2'), { cwd })
  t.match(done, { code: 0, stdout: /^deleted 2 records of run 7\.2 of / }, done.stderr)
  t.strictSame(await database.sql('SELECT dataset FROM query_measurements'), [{ dataset: 'kept' }])
  t.equal((await database.sql('SELECT 1 FROM commits')).length, 1, 'the commit stays')
  await push(cwd, [query({ dataset: 'both', value_ns: 1 })], into, attempt(1))
  t.strictSame(await database.sql(`SELECT value_ns::text AS v FROM query_measurements WHERE dataset = 'both'`), [
    { v: '1' },
  ])
})

t.test(
  'the embedded database, and a state: queued records forbid it, and a push delivers again what is pushed anew',
  async t => {
    const cwd = t.testdir({})
    const store = ['--embedded', 'store']
    const state = ['--state', 'state']
    await push(cwd, [query({ dataset: 'a' }), size()], store, { more: state })
    writeFileSync(join(cwd, 'g.jsonl'), jsonl([query({ dataset: 'b' })]))
    const down = [
      'push',
      'g.jsonl',
      '--commit',
      writeCommit(cwd),
      ...state,
      '--server',
      'http://127.0.0.1:9',
      '--benchmark-id',
      'b',
      '--retry-deadline',
      '1',
    ]
    t.equal((await runCli(down, { cwd })).code, 75)
    const refused = await runCli(deleting(...store, ...state, '--yes'), { cwd })
    t.match(refused, {
      code: 78,
      stderr: /records? of 0123\S+ are queued in .*\nhint: deliver them first with `vortex-ingest drain`/,
    })
    t.equal((await queryEmbedded(join(cwd, 'store'), COUNT_ROWS))[0]?.[0]?.['rows'], 2)

    t.equal(
      (await runCli(deleting(...store, '--yes'), { cwd })).code,
      0,
      'without the state nothing is known to be queued',
    )
    t.equal((await queryEmbedded(join(cwd, 'store'), COUNT_ROWS))[0]?.[0]?.['rows'], 0)
    // Records that were delivered do not come back by themselves, and a full refresh delivers them again.
    await push(cwd, [query({ dataset: 'a' }), size()], store, { more: state })
    const rows = async (): Promise<unknown> => (await queryEmbedded(join(cwd, 'store'), COUNT_ROWS))[0]?.[0]?.['rows']
    const before = await rows()
    await push(cwd, [query({ dataset: 'a' }), size()], store, { more: [...state, '--full-refresh'] })
    t.ok(Number(await rows()) >= 2, `${String(before)} before`)
  },
)

t.test('a kill in the middle changes nothing, and two at once delete once', async t => {
  const cwd = t.testdir({})
  const database = await createDatabase()
  await push(cwd, oneOfEach(), ['--postgres', database.url])
  const as = [...loginOf(database, 'bench_delete'), '--yes']
  const lock = database
    .sql(`BEGIN; LOCK TABLE vector_search_runs IN SHARE MODE; SELECT pg_sleep(600)`)
    .catch(() => undefined)
  const cli = startCli(deleting(...as), { cwd })
  await untilDone(cli, async () => {
    const [waiting] = await database.sql(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = 'bench_delete' AND wait_event_type = 'Lock'`,
    )
    return waiting?.['n'] === 1
  })
  cli.child.kill('SIGKILL')
  await cli.result
  await database.sql(
    `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()`,
  )
  await lock
  t.equal(await database.countRows(), 5)
  t.strictSame(await database.sql('SELECT * FROM vortex_ingest.deletions'), [])

  const two = await Promise.all([1, 2].map(() => runCli(deleting(...as, '--format', 'json'), { cwd })))
  t.ok(two.some(({ code }) => code === 0))
  t.equal(await database.countRows(), 0)
  const deletions = await database.sql(`SELECT records::text FROM vortex_ingest.deletions WHERE records <> '{}'`)
  t.equal(deletions.length, 1)
})

t.test('targets that cannot delete say so', async t => {
  const cwd = t.testdir({})
  for (const [flag, value] of [
    ['--server', 'http://127.0.0.1:9'],
    ['--archive', 'archive'],
  ] as const) {
    const { code, stderr } = await runCli(deleting(flag, value, '--yes'), { cwd })
    t.equal(code, 2)
    t.match(stderr, new RegExp(`^error: records cannot be deleted through ${flag}\\nhint: `))
  }
})
