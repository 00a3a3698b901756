/** A database that refuses records for good, or cannot hold a value, is not called down: exit codes 78 and 65, not 69. */

import t, { type Test } from 'tap'
import { databaseCopies } from '../database/embedded/fixtures/folders.js'
import { runCli } from '../fixtures/cli.js'
import { COMMIT, jsonl, search, SHA, size, token, writeCommit } from '../fixtures/records.js'
import { queryEmbedded, startMigratedPostgres } from './fixtures/database.js'
import { push, pushReported, writeFile } from './fixtures/pushing.js'
import { schemaErrors } from './fixtures/schema.js'
import { startServe, stop, TOKEN } from './fixtures/serve.js'
import { onState, STATE } from './fixtures/state.js'

const copyDatabase = await databaseCopies()
const { server, createDatabase } = await startMigratedPostgres(t)

const OTHER_SHA = 'f'.repeat(40)

const sizes = (change: string): string => `ALTER TABLE compression_sizes ${change}`

type Refusal = readonly [alteration: string, exitCode: number, code: string, message: RegExp]

const REFUSALS: readonly Refusal[] = [
  [sizes('ADD owner text NOT NULL'), 78, 'target_refused', /null value in column .?"owner/],
  [sizes('ADD CHECK (value_bytes < 0)'), 78, 'target_refused', /check constraint/],
  [
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;
     CREATE TRIGGER refuse BEFORE INSERT ON compression_sizes FOR EACH ROW EXECUTE FUNCTION refuse()`,
    ...([78, 'target_refused', /not today/] as const),
  ],
  [sizes('ADD short varchar(2) GENERATED ALWAYS AS (format) STORED'), 65, 'bad_data', /value too long/],
  [sizes('ADD small smallint GENERATED ALWAYS AS (value_bytes) STORED'), 65, 'bad_data', /smallint out of range/],
]

/** Columns that would round or cut values, or cannot hold all of them. */
const DRIFTED: readonly Refusal[] = [
  ['compression_sizes', 'value_bytes', 'bigint', 'double precision'],
  ['compression_sizes', 'value_bytes', 'bigint', 'integer'],
  ['compression_sizes', 'format', 'text', 'character varying(3)'],
  ['commits', 'timestamp', 'timestamp with time zone', 'timestamp without time zone'],
  ['commits', 'message', 'text', 'character(40)'],
].map(([table, column, expected, found]) => [
  `ALTER TABLE ${table} ALTER ${column} TYPE ${found}`,
  78,
  'target_misconfigured',
  new RegExp(`the column ${table}\\.${column} must be ${expected}, it is ${found?.replace(/[()]/g, '\\$&')}`),
])

const RECORD = size({ value_bytes: 1_234_567 })

t.test('a push to Postgres that is refused ends in 78 or 65, stores nothing, and is not forgiven', async t => {
  for (const [alteration, exitCode, code, message] of [...REFUSALS, ...DRIFTED]) {
    const { url, sql, countRows } = await createDatabase()
    await sql(alteration)
    const cwd = t.testdir({ 'f.jsonl': jsonl([RECORD]) })
    const { target, ...result } = await pushReported(cwd, ['f.jsonl', '--postgres', url, '--allow-failure'])
    t.equal(result.code, exitCode, `${alteration}\n${result.stderr}`)
    t.match(target, { attempts: 1, status: 'failed', failed: { code, cause: 'refuses', message } }, alteration)
    t.strictSame(schemaErrors('push-report', result.stdout), [])
    t.equal(await countRows(), 0)
    t.strictSame(await sql('SELECT commit_sha FROM commits'), [])
  }
})

const replaced = (relation: string): string =>
  `ALTER TABLE compression_sizes RENAME TO stored_sizes; ${relation};
   GRANT SELECT, INSERT, UPDATE ON compression_sizes TO bench_ingest`
const secured = (policy: string): string => `${sizes('ENABLE ROW LEVEL SECURITY')}; ${policy}`

/** Changes after which a push cannot write to a table, with the reason in the message and the hint. */
const OBSTACLES: readonly (readonly [alteration: string, reason: RegExp, hint: RegExp])[] = [
  [
    replaced('CREATE VIEW compression_sizes AS SELECT * FROM stored_sizes'),
    /public\.compression_sizes cannot be written to: it is a view$/m,
    /^hint: name a database with the tables of the contract, or replace it by a plain table$/m,
  ],
  [
    replaced('CREATE MATERIALIZED VIEW compression_sizes AS SELECT * FROM stored_sizes'),
    /public\.compression_sizes cannot be written to: it is a materialized view$/m,
    /^hint: name a database with the tables of the contract, or replace it by a plain table$/m,
  ],
  [
    replaced(`CREATE TABLE compression_sizes (LIKE stored_sizes INCLUDING ALL) PARTITION BY HASH (measurement_id);
      CREATE TABLE part PARTITION OF compression_sizes FOR VALUES WITH (MODULUS 1, REMAINDER 0)`),
    /public\.compression_sizes cannot be written to: it is a partitioned table$/m,
    /^hint: name a database with the tables of the contract, or replace it by a plain table$/m,
  ],
  [
    'CREATE RULE ignoring AS ON INSERT TO compression_sizes DO INSTEAD NOTHING',
    /public\.compression_sizes cannot be written to: it has the rule ignoring$/m,
    /^hint: drop the rule: DROP RULE "?ignoring"? ON public\.compression_sizes$/m,
  ],
  [
    'CREATE RULE copying AS ON UPDATE TO commits DO ALSO NOTHING',
    /public\.commits cannot be written to: it has the rule copying$/m,
    /^hint: drop the rule: DROP RULE "?copying"? ON public\.commits$/m,
  ],
  [
    secured(''),
    /public\.compression_sizes cannot be written to: its row-level security refuses or hides rows$/m,
    /^hint: .*ALTER TABLE public\.compression_sizes DISABLE ROW LEVEL SECURITY/m,
  ],
  [
    secured(`CREATE POLICY small ON compression_sizes USING (value_bytes < 5)`),
    /public\.compression_sizes cannot be written to: its row-level security refuses or hides rows$/m,
    /^hint: .*ALTER TABLE public\.compression_sizes DISABLE ROW LEVEL SECURITY/m,
  ],
]

t.test(
  'a view, partitioned table, rule or policy in place of a plain table is named, with a hint that helps',
  async t => {
    for (const [alteration, reason, hint] of OBSTACLES)
      for (const args of [[], ['--small-rows', '1']]) {
        const { url, sql, countRows } = await createDatabase()
        await sql(alteration)
        const cwd = t.testdir({ 'f.jsonl': jsonl([RECORD, RECORD]) })
        const { code, stderr } = await push(cwd, ['f.jsonl', '--postgres', url, '--allow-failure', ...args])
        t.equal(code, 78, `${alteration}\n${stderr}`)
        t.match(stderr, reason, alteration)
        t.match(stderr, hint, alteration)
        t.equal(await countRows(), 0)
        t.strictSame(await sql('SELECT commit_sha FROM commits'), [])
      }
  },
)

t.test('a policy that allows everything is no obstacle, and a missing right is told from a policy', async t => {
  const { url, sql } = await createDatabase()
  await sql(secured('CREATE POLICY everything ON compression_sizes USING (true)'))
  const cwd = t.testdir({ 'f.jsonl': jsonl([RECORD]) })
  t.equal((await push(cwd, ['f.jsonl', '--postgres', url])).code, 0)
  await sql('REVOKE UPDATE ON compression_sizes FROM bench_ingest')
  const { code, stderr } = await push(cwd, ['f.jsonl', '--postgres', url])
  t.equal(code, 77)
  t.match(stderr, /^hint: GRANT it to the user/m)
})

t.test('wider types are accepted, and every digit is stored', async t => {
  const { url, sql } = await createDatabase()
  await sql(`${sizes('ALTER value_bytes TYPE numeric, ALTER format TYPE varchar')};
    ALTER TABLE vector_search_runs ALTER iterations TYPE bigint`)
  const cwd = t.testdir({ 'f.jsonl': jsonl([size({ value_bytes: token('9007199254740993') }), search()]) })
  const result = await push(cwd, ['f.jsonl', '--postgres', url])
  t.equal(result.code, 0, result.stderr)
  t.strictSame(await sql('SELECT value_bytes::text FROM compression_sizes'), [{ value_bytes: '9007199254740993' }])
})

t.test('an embedded database that refuses ends in the same exit codes', async t => {
  for (const [alteration, exitCode, , message] of [REFUSALS[0]!, REFUSALS[3]!, DRIFTED[0]!]) {
    const cwd = copyDatabase(t)
    writeFile(cwd, 'f.jsonl', jsonl([RECORD]))
    await queryEmbedded(cwd, alteration)
    const result = await push(cwd, ['f.jsonl', '--embedded', '.', '--allow-failure'])
    t.equal(result.code, exitCode, result.stderr)
    t.match(result.stderr, message)
  }
})

t.test('a server whose database refuses is not retried, and its client sorts the answer alike', async t => {
  for (const [alteration, exitCode, code, message] of [REFUSALS[0]!, REFUSALS[3]!, DRIFTED[0]!]) {
    const { url, sql, countRows } = await createDatabase()
    const cwd = t.testdir({ 'f.jsonl': jsonl([RECORD]) })
    const serving = await startServe(['--store', url, '--listen', '127.0.0.1:0', '--contract', '1'], { cwd })
    await sql(alteration)
    const env = { INGEST_BEARER_TOKEN: TOKEN }
    const { target, ...result } = await pushReported(cwd, ['f.jsonl', '--server', serving.url, '--allow-failure'], {
      env,
    })
    t.equal(result.code, exitCode, result.stderr)
    const expected = code === 'bad_data' ? code : 'target_refused'
    t.match(target, { attempts: 1, failed: { code: expected, cause: 'refuses', message: /answered 500/ } })
    t.notMatch(result.stderr, message, 'only the log of the server has the reason')
    t.match(serving.printed().stdout + serving.printed().stderr, message)
    t.equal(await countRows(), 0)
    await stop(serving)
  }
})

t.test('serve does not start over a database whose columns drifted', async t => {
  const { url, sql } = await createDatabase()
  const [alteration, , , message] = DRIFTED[0]!
  await sql(alteration)
  const result = await runCli(['serve', '--store', url, '--listen', '127.0.0.1:0'], {
    env: { INGEST_BEARER_TOKEN: TOKEN },
  })
  t.equal(result.code, 78)
  t.match(result.stderr, message)
})

async function enqueue(t: Test, cwd: string, sha: string, url: string): Promise<void> {
  const args = ['push', '-', '--commit', writeCommit(cwd, { ...COMMIT, sha }), '--postgres', url, ...STATE]
  const stdin = jsonl([size({ commit_sha: sha }), search({ commit_sha: sha })])
  const result = await runCli(args, { cwd, stdin })
  t.match(result.stderr, /2 records for .* stay queued in the outbox until the target accepts them/)
  t.equal(result.code, 78, result.stderr)
}

t.test('a drain skips the commit that is refused, tries it once, and status tells refused from down', async t => {
  const { url, name, sql, countRows } = await createDatabase()
  const cwd = t.testdir({})
  await sql(sizes('ADD CONSTRAINT closed CHECK (false)'))
  await enqueue(t, cwd, SHA, url)
  await enqueue(t, cwd, OTHER_SHA, url)
  await sql(`${sizes('DROP CONSTRAINT closed')}; ${sizes(`ADD CHECK (commit_sha <> '${SHA}')`)}`)

  const drained = await onState(cwd, ['drain', '--postgres', url, '--format', 'json'])
  t.equal(drained.code, 78, drained.stderr)
  const { targets } = JSON.parse(drained.stdout) as { readonly targets: readonly object[] }
  t.match(targets, [{ records: 2, attempts: 2, outbox: { queued: 2 }, failed: { cause: 'refuses' } }])
  t.strictSame(schemaErrors('drain-report', drained.stdout), [])
  t.equal(await countRows(), 2, 'the records of the other commit')

  const status = await onState(cwd, ['status', '--format', 'json'])
  t.strictSame(schemaErrors('status-report', status.stdout), [])
  t.match(JSON.parse(status.stdout), {
    targets: [{ lag: { records: 2 }, failure: 'refuses', last_error: { code: 'target_refused' } }],
  })
  t.match(
    (await onState(cwd, ['status'])).stdout,
    /^    refuses the records until that is corrected .*check constraint/m,
  )
  t.match((await onState(cwd, ['journal', 'health'])).stdout, /^postgres +target +refuses/m)

  await server.sql(`ALTER DATABASE ${name} CONNECTION LIMIT 0`)
  const offline = await onState(cwd, ['drain', '--postgres', url, '--retry-deadline', '1'])
  t.equal(offline.code, 75, offline.stderr)
  const down = JSON.parse((await onState(cwd, ['status', '--format', 'json'])).stdout) as object
  t.match(down, { targets: [{ failure: 'down' }] })
})
