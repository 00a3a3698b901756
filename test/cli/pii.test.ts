/** `--pii`: personal data is masked or dropped before anything of a push is queued, archived, sent or stored. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { push as pushFiles, server } from '../../src/index.js'
import type { PushReport } from '../../src/reports/delivery.js'
import type { PiiScanReport } from '../../src/reports/pii.js'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { applied, startAnswering, type TestServer } from '../fixtures/http-server.js'
import { COMMIT, jsonl, line, writeCommit } from '../fixtures/records.js'
import { filesBelow } from '../state/fixtures/state.js'
import { queryEmbedded, startMigratedPostgres, type Row } from './fixtures/database.js'
import { TOKEN } from './fixtures/pushing.js'
import { schemaErrors } from './fixtures/schema.js'
import { everythingIn } from './fixtures/state.js'

const SECRET = 'ghp_0123456789abcdefghijABCDEFGHIJ012345'
const MESSAGE = `Read fewer bytes, says eve@example.com\n\nCo-authored-by: Jane Doe <jane@example.net>\n`
const PERSONAL = [
  ...['Zoë Żółć', 'zoe@example.org', 'Merge Bot', 'bot@example.org', 'Jane Doe', 'jane@example.net', 'eve@example.com'],
  ...['ops@example.com', SECRET],
]

const KEY = { VORTEX_INGEST_PII_KEY: 'a key of more than 16 characters' }

const RECORDS = jsonl([
  line('compression_time', { env_triple: JSON.stringify(`x86_64 of ops@example.com, ${SECRET}`) }),
  line('query_measurement', { value_ns: '9223372036854775807' }),
  line('compression_size'),
])

function folder(t: Test): string {
  const cwd = t.testdir({ 'f.jsonl': RECORDS })
  writeCommit(cwd, { ...COMMIT, message: MESSAGE })
  return cwd
}

function run(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = KEY): Promise<CliResult> {
  return runCli(args, { cwd, env: { INGEST_BEARER_TOKEN: TOKEN, ...env } })
}

async function push(cwd: string, args: readonly string[], env = KEY): Promise<CliResult & { report: PushReport }> {
  const common = ['push', 'f.jsonl', '--commit', 'commit.json', '--benchmark-id', 'bench', '--format', 'json']
  const result = await run(cwd, [...common, ...args], env)
  return { ...result, report: JSON.parse(result.stdout) as PushReport }
}

/** All bytes of the files below a folder; gzip files also decompressed. Names are not ASCII, so bytes are compared. */
function bytesBelow(path: string): string {
  const unpacked = filesBelow(path).filter(name => name.endsWith('.gz'))
  return [everythingIn(path), ...unpacked.map(name => gunzipSync(readFileSync(name)).toString('latin1'))].join('\n')
}

function bodies({ asked }: TestServer): string {
  return asked.map(({ body }) => body?.toString('latin1') ?? '').join('\n')
}

function found(text: string): readonly string[] {
  return PERSONAL.filter(one => text.includes(Buffer.from(one).toString('latin1')) || text.includes(one))
}

const ROWS = `
  SELECT measurement_id::text AS id, env_triple, value_ns::text AS value FROM compression_times
  UNION ALL SELECT measurement_id::text, env_triple, value_ns::text FROM query_measurements
  UNION ALL SELECT measurement_id::text, NULL, value_bytes::text FROM compression_sizes ORDER BY value, id`
const COMMITS = `SELECT message, author_name, author_email, committer_name, committer_email FROM commits`

const MASKED_NAME = /^masked-[0-9a-f]{16}$/
const MASKED_EMAIL = /^[0-9a-f]{16}@masked\.invalid$/

/** The stored commit and environment of each mode. */
const STORED = {
  mask: {
    commit: {
      message:
        /^Read fewer bytes, says [0-9a-f]{16}@masked\.invalid\n\nCo-authored-by: masked-\w{16} <\w{16}@masked\.invalid>\n$/,
      ...{ author_name: MASKED_NAME, author_email: MASKED_EMAIL },
      ...{ committer_name: MASKED_NAME, committer_email: MASKED_EMAIL },
    },
    env: /^x86_64 of [0-9a-f]{16}@masked\.invalid, masked-[0-9a-f]{16}$/,
  },
  drop: {
    commit: {
      message: 'Read fewer bytes, says [removed]\n\nCo-authored-by: [removed] <[removed]>\n',
      ...{ author_name: '', author_email: '', committer_name: '', committer_email: '' },
    },
    env: 'x86_64 of [removed], [removed]',
  },
} as const

const { createDatabase } = await startMigratedPostgres(t)

/** The rows of a push that keeps everything. */
const kept = await createDatabase()
const keptRows = await (async (): Promise<readonly Row[]> => {
  const cwd = t.testdir({ 'f.jsonl': RECORDS })
  writeCommit(cwd, { ...COMMIT, message: MESSAGE })
  const { code, stderr, report } = await push(cwd, ['--postgres', kept.url])
  if (code !== 0 || report.targets[0]?.personal_data !== 'keep') throw new Error(stderr)
  return kept.sql(ROWS)
})()

function assertStored(t: Test, mode: keyof typeof STORED, rows: readonly Row[], commits: readonly Row[]): void {
  t.match(commits, [STORED[mode].commit])
  t.match(
    rows.find(row => String(row['env_triple']).startsWith('x86_64 of')),
    { env_triple: STORED[mode].env },
  )
  const withoutEnv = (all: readonly Row[]): object[] => all.map(({ id, value }) => ({ id, value }))
  t.strictSame(withoutEnv(rows), withoutEnv(keptRows), 'ids and values are those of a push that keeps everything')
  t.strictSame(found(JSON.stringify([rows, commits])), [])
}

for (const mode of ['mask', 'drop'] as const)
  await t.test(`--pii ${mode}: no target of any kind and no state gets personal data, and ids stay`, async t => {
    const cwd = folder(t)
    const database = await createDatabase()
    const server = await startAnswering(t, applied)
    const targets = ['--server', server.url, '--postgres', database.url, '--archive', 'archive']
    const { code, stderr, report } = await push(cwd, [...targets, '--state', 'state', '--pii', mode])
    t.equal(code, 0, stderr)
    t.strictSame(
      report.targets.map(({ kind, personal_data }) => [kind, personal_data]),
      ['server', 'postgres', 'archive'].map(kind => [kind, mode]),
    )
    assertStored(t, mode, await database.sql(ROWS), await database.sql(COMMITS))
    t.strictSame(found(bodies(server)), [], 'HTTP bodies')
    t.match(bodies(server), mode === 'mask' ? /masked\.invalid/ : /\[removed\]/)
    const state = everythingIn(join(cwd, 'state'))
    t.strictSame(found(state), [], 'the objects of the state')
    t.match(state, `"pii":"${mode}"`)
    t.notMatch(state, KEY.VORTEX_INGEST_PII_KEY)
    t.strictSame(found(bytesBelow(join(cwd, 'archive'))), [], 'the objects of the archive')
    t.match(bytesBelow(join(cwd, 'archive')), mode === 'mask' ? /masked\.invalid/ : /\[removed\]/)

    const embedded = await push(cwd, ['--embedded', 'db', '--pii', mode])
    t.equal(embedded.code, 0, embedded.stderr)
    const [rows = [], commits = []] = await queryEmbedded(join(cwd, 'db'), ROWS, COMMITS)
    assertStored(t, mode, rows, commits)
    t.strictSame(found(everythingIn(join(cwd, 'db'))), [], 'the files of the embedded database')

    const verify = ['verify', 'f.jsonl', '--postgres', database.url]
    t.equal((await run(cwd, [...verify, '--pii', mode])).code, 0, 'verify compares what was sent')
    t.match(await run(cwd, verify), { code: 4, stdout: /1 difference in 3 measurements/ })
    t.match(await run(cwd, ['verify', '--state', 'state', '--postgres', database.url]), { code: 0 })
    t.match(await run(cwd, ['pii', 'scan', '--postgres', database.url]), { code: 0, stdout: /^nothing found/ })
  })

t.test('a killed push leaves masked records, which a drain without the key delivers', async t => {
  const cwd = folder(t)
  const database = await createDatabase()
  const to = ['--postgres', database.url, '--state', 'state']
  const killed = await runCli(['push', 'f.jsonl', '--commit', 'commit.json', ...to, '--pii', 'mask'], {
    cwd,
    env: { ...KEY, VORTEX_INGEST_TEST_FAIL_POINT: 'postgres.write=kill-before' },
  })
  t.equal(killed.signal, 'SIGKILL')
  t.strictSame(found(everythingIn(join(cwd, 'state'))), [])
  const drained = await run(cwd, ['drain', ...to, '--format', 'json'], {})
  t.match(JSON.parse(drained.stdout), { exit_code: 0, targets: [{ personal_data: 'mask', records: 3 }] })
  assertStored(t, 'mask', await database.sql(ROWS), await database.sql(COMMITS))
})

t.test('each registered target has its own mode, and the state keeps what the least strict one may get', async t => {
  const cwd = folder(t)
  const database = await createDatabase()
  const server = await startAnswering(t, applied)
  const state = ['--state', 'state']
  const dsn = database.url.replace(/:\/\/([^:]+):[^@]+@/, '://$1@')
  const password = decodeURIComponent(new URL(database.url).password)
  const env = { ...KEY, DB_PASSWORD: password }
  const add = [
    'targets',
    'add',
    'db',
    'postgres',
    dsn,
    '--secret-env',
    'DB_PASSWORD',
    '--pii',
    'mask',
    '--format',
    'json',
  ]
  t.match(JSON.parse((await run(cwd, [...add, ...state], env)).stdout), { target: { name: 'db', pii: 'mask' } })
  await run(cwd, ['targets', 'add', 'site', 'server', server.url, ...state], env)

  t.match(await push(cwd, state, { VORTEX_INGEST_PII_KEY: '' }), { code: 78, stderr: /needs a key/ })
  const first = await push(cwd, [...state, '--target', 'db'], env)
  t.match(first.report, { exit_code: 0, targets: [{ name: 'db', personal_data: 'mask' }] }, first.stderr)
  assertStored(t, 'mask', await database.sql(ROWS), await database.sql(COMMITS))
  t.strictSame(found(everythingIn(join(cwd, 'state'))), PERSONAL, 'the other target is to get them')
  const drained = await run(cwd, ['drain', ...state, '--target', 'site', '--format', 'json'], env)
  t.match(JSON.parse(drained.stdout), { targets: [{ name: 'site', personal_data: 'keep' }] })
  t.strictSame(found(bodies(server)), PERSONAL)
  t.match(await run(cwd, ['verify', ...state, '--target', 'db'], env), { code: 0, stdout: /^verified: 3 measurements/ })

  const stricter = await push(cwd, [...state, '--full-refresh', '--pii', 'drop'], env)
  t.match(stricter.report.targets, [{ personal_data: 'drop' }, { personal_data: 'drop' }], 'the stricter mode counts')
})

t.test('masking needs a key in the environment, and nothing is sent without one', async t => {
  const cwd = folder(t)
  const server = await startAnswering(t, applied)
  const args = [
    'push',
    'f.jsonl',
    '--commit',
    'commit.json',
    '--benchmark-id',
    'b',
    '--server',
    server.url,
    '--pii',
    'mask',
  ]
  t.match(await run(cwd, args, {}), { code: 78, stderr: /VORTEX_INGEST_PII_KEY is not set\nhint: / })
  const short = await run(cwd, args, { VORTEX_INGEST_PII_KEY: 'hush-short-key' })
  t.match(short, { code: 78, stderr: /has fewer than 16 characters/ })
  t.notMatch(short.stderr, 'hush-short-key')
  t.match(await run(cwd, [...args.slice(0, -1), 'hide']), { code: 2, stderr: /keep, mask, drop/ })
  const inCi = { GITHUB_ACTIONS: 'true', GITHUB_REPOSITORY: 'o/r', GITHUB_RUN_ID: '1', VORTEX_INGEST_PII_KEY: '' }
  const skipped = await run(cwd, [...args, '--no-secrets', 'skip'], inCi)
  t.match(skipped, { code: 0 }, skipped.stderr)
  t.match(skipped.stdout + skipped.stderr, /VORTEX_INGEST_PII_KEY/, 'as for other secrets that CI does not give')
  t.equal(server.asked.length, 0)
})

t.test('a target of the library masks, too', async t => {
  const cwd = folder(t)
  const one = await startAnswering(t, applied)
  const pii = { mode: 'mask', key: KEY.VORTEX_INGEST_PII_KEY } as const
  const commit = { ...COMMIT, message: MESSAGE }
  const result = await pushFiles([join(cwd, 'f.jsonl')], { commit, targets: [server(one.url, { pii })] })
  t.match(result, { exitCode: 0, targets: [{ pii: 'mask' }] })
  t.strictSame(found(bodies(one)), [])
  t.throws(() => server(one.url, { pii: { mode: 'mask' } }), { code: 'config_invalid' })
})

t.test('a dimension with personal data is warned of once and stays, because ids depend on it', async t => {
  const bad = (op: string): string => line('compression_time', { dataset: '"ops@example.com"', op: `"${op}"` })
  const cwd = t.testdir({ 'f.jsonl': jsonl([bad('encode'), bad('decode')]) })
  writeCommit(cwd)
  const server = await startAnswering(t, applied)
  const { report, stderr } = await push(cwd, [
    '--server',
    server.url,
    '--pii',
    'drop',
    '--benchmark-id',
    'ops@example.com',
  ])
  t.match(stderr, /warning: the benchmark id holds personal data \(email\)/)
  t.match(report, { exit_code: 0, warned: 1, warnings: [{ line: 1, pointer: '/dataset', code: 'personal_data' }] })
  t.notMatch(stderr, 'ops@example.com')
  t.match(bodies(server), /"dataset":"ops@example\.com".*"dataset":"ops@example\.com"/s)
})

t.test('a rejected line with personal data stops a push that must not store it', async t => {
  const rejected = '{"kind":"compression_time","contact":"ops@example.com"}'
  const cwd = t.testdir({ 'f.jsonl': jsonl([line('compression_size'), rejected]) })
  writeCommit(cwd)
  const server = await startAnswering(t, applied)
  const args = ['push', 'f.jsonl', '--commit', 'commit.json', '--benchmark-id', 'b', '--server', server.url]
  const reject = ['--on-error', 'reject', '--max-rejections', '1', '--state', 'state']
  const { code, stderr } = await run(cwd, [...args, ...reject, '--pii', 'drop'])
  t.match({ code, stderr }, { code: 65, stderr: /a rejected line holds personal data/ })
  t.strictSame(found(everythingIn(join(cwd, 'state'))), [])
  t.equal(server.asked.length, 0)
  t.equal((await run(cwd, [...args, ...reject])).code, 3)
})

t.test('pii scan names places and rules of a file and a database, and never the data', async t => {
  const cwd = folder(t)
  const scan = await run(cwd, ['pii', 'scan', 'f.jsonl', 'commit.json', '--postgres', kept.url, '--format', 'json'])
  t.equal(scan.code, 4, scan.stderr)
  t.strictSame(schemaErrors('pii-scan-report', scan.stdout), [])
  t.strictSame(found(scan.stdout + scan.stderr), [])
  const { findings, found: count } = JSON.parse(scan.stdout) as PiiScanReport
  t.equal(findings.length, count)
  const [first = ''] = RECORDS.split('\n')
  t.match(findings[0], { source: 'f.jsonl', line: 1, column: first.indexOf('x86_64 of') + 1, field: '/env_triple' })
  const summary = (source: string | null): readonly string[] =>
    findings
      .filter(one => one.source === source)
      .map(({ table, field, rule }) => [table ?? '', field, rule].join(' ').trim())
  t.strictSame(summary('f.jsonl'), ['/env_triple email', '/env_triple github'])
  const ofCommit = ['message email', 'message person-name', 'message email', 'author_name person-name']
  ofCommit.push('author_email email', 'committer_name person-name', 'committer_email email')
  t.strictSame(
    summary('commit.json'),
    ofCommit.map(one => `/${one}`),
  )
  const ofRow = ['compression_times env_triple email', 'compression_times env_triple github']
  t.strictSame(summary(null), [...ofCommit.map(one => `commits ${one}`), ...ofRow])

  const text = await runCli(['pii', 'scan', '-'], { cwd, stdin: 'no JSON, but ops@example.com\n' })
  t.match(text, { code: 4, stdout: /^-:1:14: email o… \(15 characters\)\nfound 1 piece of personal data/ })
  t.match(await run(cwd, ['pii', 'scan']), { code: 2, stderr: /missing files/ })
})
