import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCli } from '../fixtures/cli.js'
import { SHA, access, jsonl, query, size } from '../fixtures/records.js'
import { schemaErrors } from './fixtures/schema.js'

/** Lines of version 3; `size()` and `access()` alone are lines of version 1. */
const size3 = (dataset = 'taxi'): string => size({ dataset, uncompressed_bytes: 16384 })
const access3 = (open_mode = 'cached'): string => access({ open_mode })

const FILES = {
  'v1.jsonl': jsonl([query(), size(), access()]),
  'v2.jsonl': jsonl([query(), size3(), access()]),
  'v3.jsonl': jsonl([query(), size3(), access3(), access3('reopen')]),
  'any.jsonl': jsonl([query()]),
}

const COMMIT_FILE = JSON.stringify({
  ...{ sha: SHA, timestamp: '2026-04-25T11:02:33+02:00', message: 'm', tree_sha: SHA, url: 'https://example.com/c' },
  ...{ author_name: 'A', author_email: 'a@example.com', committer_name: 'A', committer_email: 'a@example.com' },
})

t.test('validate reports the version of each file, in every format', async t => {
  const cwd = t.testdir(FILES)
  for (const [name, version] of [
    ['v1.jsonl', 1],
    ['v2.jsonl', 2],
    ['v3.jsonl', 3],
    ['any.jsonl', 1],
  ] as const) {
    const { code, stdout } = await runCli(['validate', name], { cwd })
    t.equal(code, 0, name)
    t.match(stdout, `${name}, contract version ${version}\n`)
  }
  const all = await runCli(['validate', 'v3.jsonl', 'v1.jsonl'], { cwd })
  t.match(all.stdout, /^valid: 7 records in 2 files, contract versions 1, 3\n/)
  writeFileSync(join(cwd, 'empty.jsonl'), '')
  const json = await runCli(['validate', 'v3.jsonl', 'v2.jsonl', 'empty.jsonl', '--format', 'json'], { cwd })
  t.strictSame(schemaErrors('validate-report', json.stdout), [])
  const { files } = JSON.parse(json.stdout) as { files: readonly { contract_version: number | null }[] }
  t.strictSame(
    files.map(file => file.contract_version),
    [3, 2, null],
  )
  const junit = await runCli(['validate', 'v3.jsonl', '--format', 'junit'], { cwd })
  t.match(junit.stdout, /<properties>\s*<property name="contract_version" value="3"\s*\/>\s*<\/properties>/)
  t.equal(junit.stdout.match(/<testcase /g)?.length, 1)
  const sarif = await runCli(['validate', 'v3.jsonl', '--format', 'sarif'], { cwd })
  t.match(JSON.parse(sarif.stdout), {
    runs: [{ invocations: [{ properties: { contractVersions: { 'v3.jsonl': 3 } } }] }],
  })
})

t.test(
  'a mixed file is rejected line by line against the version of most lines, from a file and from a pipe',
  async t => {
    const lines = [
      access3(),
      size3(),
      query(),
      access3('reopen'),
      '',
      query({ query_idx: 2 }),
      access({ dataset: 'b' }),
    ]
    const cwd = t.testdir({ 'mixed.jsonl': jsonl(lines), tmp: {} })
    const message = 'line 7 has no open_mode; other lines of this file are version 3 (the first is line 1)'
    for (const [args, name] of [
      [['mixed.jsonl'], 'mixed.jsonl'],
      [['-'], '-'],
    ] as const) {
      const { code, stdout } = await runCli(['validate', ...args], {
        cwd,
        stdin: jsonl(lines),
        env: { TMPDIR: join(cwd, 'tmp') },
      })
      t.equal(code, 65)
      const byte = Buffer.byteLength(jsonl(lines.slice(0, -1)))
      t.match(stdout, `error: ${name}:7 (byte ${byte}): ${message} (missing_field)\n`)
      t.match(stdout, `invalid: 1 of 6 lines rejected in ${name}, contract version 3\n`)
      t.strictSame(readdirSync(join(cwd, 'tmp')), [], 'no temporary file is left')
    }
  },
)

t.test('--max-rejections counts the lines of other versions too, from a file and from a pipe', async t => {
  const lines = [...Array.from({ length: 50 }, () => access3()), ...Array.from({ length: 40 }, () => access())]
  const cwd = t.testdir({ 'mixed.jsonl': jsonl(lines) })
  for (const name of ['mixed.jsonl', '-']) {
    const { code, stdout } = await runCli(['validate', name, '--max-rejections', '2'], { cwd, stdin: jsonl(lines) })
    t.equal(code, 65)
    t.strictSame(stdout.match(/line \d+ has no open_mode/g), ['line 51 has no open_mode', 'line 52 has no open_mode'])
    t.match(stdout, `invalid: stopped after 2 rejected lines in ${name}\n`)
  }
})

t.test('a push of a mixed file sends nothing, with state or without', async t => {
  const cwd = t.testdir({ 'mixed.jsonl': jsonl([access3(), access(), access3('reopen')]), 'commit.json': COMMIT_FILE })
  for (const state of [[], ['--state', 'state']]) {
    const push = ['push', 'mixed.jsonl', '--commit', 'commit.json', '--embedded', 'store', ...state]
    const { code, stdout, stderr } = await runCli(push, { cwd })
    t.equal(code, 65)
    t.match(stdout + stderr, 'line 2 has no open_mode; other lines of this file are version 3 (the first is line 1)')
  }
})

t.test('lines added to a file are checked with the line numbers of the whole file', async t => {
  const cwd = t.testdir({ 'grown.jsonl': jsonl([query(), query({ query_idx: 2 })]), 'commit.json': COMMIT_FILE })
  const args = ['grown.jsonl', '--commit', 'commit.json', '--state', 'state', '--server', 'http://127.0.0.1:1']
  const push = ['push', ...args, '--retries', '0', '--benchmark-id', 'b']
  const first = await runCli(push, { cwd, env: { INGEST_BEARER_TOKEN: 'token' } })
  t.equal(first.code, 75, 'the server is down, the lines are queued')
  const grown = [query(), query({ query_idx: 2 }), access3(), access(), access3('reopen')]
  writeFileSync(join(cwd, 'grown.jsonl'), jsonl(grown))
  const { code, stdout, stderr } = await runCli(push, { cwd, env: { INGEST_BEARER_TOKEN: 'token' } })
  t.equal(code, 65)
  t.match(
    stdout + stderr,
    /grown\.jsonl:4 .*line 4 has no open_mode; other lines of this file are version 3 \(the first is line 3\)/,
  )
})

t.test(
  '--contract pins the version of validate, push, verify and id; a variable and a config file do so too',
  async t => {
    const cwd = t.testdir({ ...FILES, 'commit.json': COMMIT_FILE, folder: {} })
    const unknown = /"\/uncompressed_bytes" is not a field of this kind before contract version 2/
    const missing = /\/uncompressed_bytes is missing \(required since contract version 2\)/
    for (const args of [
      ['validate', 'v3.jsonl'],
      ['push', 'v3.jsonl', '--commit', 'commit.json', '--embedded', 'store', '--dry-run'],
      ['push', 'v3.jsonl', '--commit', 'commit.json', '--embedded', 'store', '--dry-run', '--state', 'state'],
      ['id', 'v3.jsonl'],
    ]) {
      const { code, stdout, stderr } = await runCli([...args, '--contract', '1'], { cwd })
      t.equal(code, 65, args.join(' '))
      t.match(stdout + stderr, unknown, args.join(' '))
    }
    await runCli(['migrate', '--embedded', 'store'], { cwd })
    const verified = await runCli(['verify', 'v3.jsonl', '--embedded', 'store', '--contract', '1'], { cwd })
    t.equal(verified.code, 65)
    t.match(verified.stdout + verified.stderr, unknown, 'verify')
    t.equal((await runCli(['validate', 'v3.jsonl', '--contract', '3'], { cwd })).code, 0)
    t.equal((await runCli(['validate', 'v1.jsonl', '--contract', 'auto'], { cwd })).code, 0)
    t.match((await runCli(['validate', 'v1.jsonl'], { cwd, env: { VORTEX_INGEST_CONTRACT: '3' } })).stdout, missing)
    for (const value of ['3', '"3"']) {
      mkdirSync(join(cwd, 'sub'), { recursive: true })
      writeFileSync(join(cwd, 'sub', 'vortex-ingest.toml'), `contract = ${value}\n`)
      const { code, stdout } = await runCli(['validate', '../v1.jsonl'], { cwd: join(cwd, 'sub') })
      t.equal(code, 65)
      t.match(stdout, missing)
    }
    const wrong = await runCli(['validate', 'v1.jsonl', '--contract', '4'], { cwd })
    t.equal(wrong.code, 2)
    t.match(wrong.stderr, /Allowed choices are auto, 1, 2, 3/)
  },
)

t.test('id hashes the open mode only when it is not cached', async t => {
  const commit_sha = '0123456789abcdef0123456789abcdef01234567'
  const known = (fields: object): string => access({ commit_sha, dataset: 'taxi', format: 'parquet', ...fields })
  const stdin = jsonl([known({}), known({ open_mode: 'cached' }), known({ open_mode: 'reopen' })])
  const { code, stdout } = await runCli(['id', '-'], { stdin })
  t.equal(code, 0)
  t.equal(stdout, '164255076009922704\n164255076009922704\n-4421471856282394060\n')
  const pinned = await runCli(['id', '-', '--contract', '3'], { stdin })
  t.equal(pinned.code, 65)
  t.equal(pinned.stdout, '\n164255076009922704\n-4421471856282394060\n')
})
