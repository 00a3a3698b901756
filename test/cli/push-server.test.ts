/** The bytes, headers and envelopes in which a file reaches a server. */

import t from 'tap'
import { execFileSync } from 'node:child_process'
import { gzipSync } from 'node:zlib'
import { runCli } from '../fixtures/cli.js'
import { applied, json, recordsOf, startAnswering, type Asked } from '../fixtures/http-server.js'
import { startReferenceServer } from '../fixtures/reference-server.js'
import { push, pushReported, TOKEN, writeFile } from './fixtures/pushing.js'
import { COMMIT, jsonl, manyQueries, oneOfEach, query, SHA, size, token } from '../fixtures/records.js'
import { schemaErrors } from './fixtures/schema.js'

type Envelope = { readonly run_meta: object; readonly commit: object; readonly records: readonly object[] }

const envelopeOf = ({ body }: Asked): Envelope => JSON.parse(body!.toString()) as Envelope
const keyOf = ({ headers }: Asked): unknown => headers['idempotency-key']

t.test('one file is one envelope: run, commit and every record', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(oneOfEach()) })
  const server = await startAnswering(t, applied)
  const { code, stdout, stderr } = await push(cwd, ['f.jsonl', '--server', server.url])
  t.equal(code, 0, stderr)
  t.match(stdout, /^ingested 5 records of 0123456 into http:\/\/127\.0\.0\.1:\d+ \(5 inserted, 0 updated\) in /)
  t.equal(stderr, '')
  t.match(server.asked, [
    {
      method: 'POST',
      path: '/api/ingest',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', 'content-length': /^\d+$/ },
    },
  ])
  const { run_meta, commit, records } = envelopeOf(server.asked[0]!)
  t.match(run_meta, { benchmark_id: 'bench', schema_version: 1, started_at: /^\d{4}-\d\d-\d\dT.*Z$/ })
  t.strictSame(commit, COMMIT)
  t.strictSame(
    records,
    oneOfEach().map(line => JSON.parse(line) as unknown),
  )
})

t.test('every byte of a record arrives as it was, from files of every make and from standard input', async t => {
  const odd = [
    size({ value_bytes: token('9223372036854775807') }),
    ` ${query({ value_ns: token('-9223372036854775808'), dataset: 'größe "🙂" \\ \u2028' })}\t`,
    query({ query_idx: 3 }).replace('tpch', 'tp\\u0063h'),
  ]
  const text = `\r\n${odd.join('\r\n \n')}`
  const cwd = t.testdir({})
  writeFile(cwd, 'plain.jsonl', text)
  writeFile(cwd, 'packed.jsonl.gz', gzipSync(text))
  const server = await startAnswering(t, applied)
  for (const [name, stdin] of [['plain.jsonl'], ['packed.jsonl.gz'], ['-', text]] as const) {
    const { code, stderr } = await push(cwd, [name, '--server', server.url], { stdin: stdin ?? '' })
    t.equal(code, 0, stderr)
    const body = server.asked.at(-1)!.body!.toString()
    for (const [index, record] of odd.entries()) t.ok(body.includes(record.trim()), `${name}: record ${index}`)
    t.equal(recordsOf(server.asked.at(-1)!).length, 3)
  }
})

t.test('--compress sends the same body in gzip', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(2_000)) })
  const server = await startAnswering(t, applied)
  const { code, stderr } = await push(cwd, ['f.jsonl', '--server', server.url, '--compress'])
  t.equal(code, 0, stderr)
  t.equal(server.asked[0]?.headers['content-encoding'], 'gzip')
  t.equal(recordsOf(server.asked[0]!).length, 2_000)
})

t.test(
  'the value of --compress may be left out, also in front of a file, and its variable may be a switch',
  async t => {
    const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
    const server = await startAnswering(t, applied)
    for (const [args, variable, encoding] of [
      [['--compress', 'f.jsonl'], undefined, 'gzip'],
      [['--compress', 'auto', 'f.jsonl'], undefined, 'gzip'],
      [['--compress=always', 'f.jsonl'], undefined, 'gzip'],
      [['--compress', 'never', 'f.jsonl'], undefined, undefined],
      [['f.jsonl'], 'auto', 'gzip'],
      [['f.jsonl'], '1', 'gzip'],
      [['f.jsonl'], 'True', 'gzip'],
      [['f.jsonl'], '0', undefined],
      [['f.jsonl'], '', undefined],
      [['--compress=never', 'f.jsonl'], '1', undefined],
    ] as const) {
      const env = variable === undefined ? {} : { VORTEX_INGEST_COMPRESS: variable }
      const { code, stderr } = await push(cwd, [...args, '--server', server.url], { env })
      t.equal(code, 0, stderr)
      t.equal(server.asked.at(-1)?.headers['content-encoding'], encoding, `${args.join(' ')} ${variable}`)
    }
    const wrong = await push(cwd, ['f.jsonl', '--server', server.url, '--compress=atuo'])
    t.equal(wrong.code, 2)
    t.match(wrong.stderr, /--compress \[when\].*Allowed choices are always, auto, never/)
  },
)

t.test('a config file says true, false or how to compress', async t => {
  const server = await startAnswering(t, applied)
  for (const [value, code, encoding] of [
    ['true', 0, 'gzip'],
    ['"auto"', 0, 'gzip'],
    ['false', 0, undefined],
    ['"sometimes"', 78, undefined],
  ] as const) {
    const cwd = t.testdir({ 'f.jsonl': jsonl([query()]), 'c.toml': `compress = ${value}\n` })
    const pushed = await push(cwd, ['f.jsonl', '--server', server.url, '--config', 'c.toml'])
    t.equal(pushed.code, code, pushed.stderr)
    t.equal(code === 0 ? server.asked.at(-1)?.headers['content-encoding'] : undefined, encoding, value)
  }
})

t.test('a server that takes no gzip: --compress fails and says why, --compress auto sends again', async t => {
  const cwd = t.testdir({ 'a.jsonl': jsonl([query()]), 'b.jsonl': jsonl([query({ query_idx: 2 })]) })
  const files = ['a.jsonl', 'b.jsonl']
  const encodings = (asked: readonly Asked[]): unknown => asked.map(({ headers }) => headers['content-encoding'])
  const strict = await startReferenceServer(t, TOKEN)
  const failed = await push(cwd, [...files, '--server', strict.url, '--compress'])
  t.equal(failed.code, 65)
  t.match(
    failed.stderr,
    /answered 400: Failed to parse the request body as JSON.*\nhint: compression is the likely reason/,
  )
  t.strictSame(encodings(strict.asked), ['gzip'])

  const server = await startReferenceServer(t, TOKEN)
  const args = [...files, '--server', server.url, '--compress', 'auto', '--retries', '0']
  const { code, stderr, report, target } = await pushReported(cwd, args)
  t.equal(code, 0, stderr)
  t.strictSame(encodings(server.asked), ['gzip', undefined, undefined], 'the second file is not tried as gzip')
  t.match(report, { records: 2, inserted: 2 })
  t.match(target, { attempts: 3, retries: [{ error: /answered 400: Failed to parse/, waited_ms: 0 }] })
  t.match(stderr, /sent again|was retried once, the last time because of: .* answered 400: Failed to parse/)
})

t.test('with --compress auto it is the answer to the uncompressed body that counts', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  for (const [answer, code, says] of [
    [
      json(400, { error: 'malformed', message: 'commit.url is odd' }),
      65,
      /answered 400: commit\.url is odd\nhint: .*validate/,
    ],
    [json(401, { error: 'unauthorized' }), 77, /answered 401/],
  ] as const) {
    const server = await startAnswering(t, response => response.writeHead(415).end('no gzip'), answer)
    const pushed = await push(cwd, ['f.jsonl', '--server', server.url, '--compress', 'auto'])
    t.equal(pushed.code, code)
    t.match(pushed.stderr, says)
    t.equal(server.asked.length, 2)
  }
  const record = await startAnswering(t, json(400, { error: 'record', record_index: 0, message: 'odd' }))
  await push(cwd, ['f.jsonl', '--server', record.url, '--compress', 'auto'])
  t.equal(record.asked.length, 1, 'a record that is refused was read, so gzip is taken')
})

t.test('a file without records sends an envelope without records, for the commit', async t => {
  const cwd = t.testdir({ 'empty.jsonl': '', 'blank.jsonl': '\n \n' })
  const server = await startAnswering(t, applied)
  for (const name of ['empty.jsonl', 'blank.jsonl']) {
    const { code, report } = await pushReported(cwd, [name, '--server', server.url, '--commit-sha', SHA])
    t.equal(code, 0)
    t.match(report, { records: 0, inserted: 0, chunks: 1 })
  }
  t.match(server.asked.map(envelopeOf), [{ commit: COMMIT, records: [] }, { records: [] }])
})

t.test('the flags of the script it replaces work as they did', async t => {
  const cwd = t.testdir({ 'f.jsonl': '', repo: {} })
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=a@b.c', ...args], {
      cwd: `${cwd}/repo`,
      encoding: 'utf8',
    })
  git('init', '-q')
  git('commit', '-q', '--allow-empty', '-m', 'Measure')
  const sha = git('rev-parse', 'HEAD').trim()
  writeFile(cwd, 'f.jsonl', jsonl(oneOfEach()).replaceAll(SHA, sha))
  const server = await startAnswering(t, applied)
  const flags = ['--commit-sha', sha, '--benchmark-id', 'job-1', '--token-env', 'MY_TOKEN', '--timeout', '30']
  const more = ['--repo-url', 'https://github.com/o/r', '--git-dir', 'repo', '--max-envelope-bytes', '1000000']
  const { code, stdout, stderr } = await runCli(
    ['push', 'f.jsonl', '--server', server.url, ...flags, ...more, '--format', 'json'],
    { cwd, env: { MY_TOKEN: TOKEN } },
  )
  t.equal(code, 0, stderr)
  t.match(JSON.parse(stdout), { records: 5, inserted: 5, updated: 0, chunks: 1 })
  t.strictSame(schemaErrors('push-report', stdout), [])
  t.equal(server.asked[0]?.headers.authorization, `Bearer ${TOKEN}`)
  t.match(envelopeOf(server.asked[0]!), {
    run_meta: { benchmark_id: 'job-1' },
    commit: { sha, url: `https://github.com/o/r/commit/${sha}`, message: 'Measure', author_name: 'Ada' },
  })
})

t.test('--benchmark-id is required without CI metadata', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(oneOfEach()) })
  const server = await startAnswering(t, applied)
  const args = ['push', 'f.jsonl', '--server', server.url, '--commit-sha', SHA]
  const { code, stderr } = await runCli(args, { cwd, env: { INGEST_BEARER_TOKEN: TOKEN } })
  t.equal(code, 2)
  t.match(stderr, /--benchmark-id/)
  t.equal(server.asked.length, 0)
})

t.test('a file beyond the limit is split, with a warning; each envelope keeps to the limit', async t => {
  const lines = manyQueries(40)
  const cwd = t.testdir({ 'f.jsonl': jsonl(lines) })
  const server = await startAnswering(t, applied)
  const { code, stdout, stderr, report } = await pushReported(cwd, [
    ...['f.jsonl', '--server', server.url, '--max-envelope-bytes', '5000'],
  ])
  t.equal(code, 0)
  t.ok(server.asked.length > 2)
  t.match(report, { records: 40, inserted: 40, chunks: server.asked.length })
  t.strictSame(schemaErrors('push-report', stdout), [])
  t.match(stderr, new RegExp(`warning: f.jsonl went to \\S+ as ${server.asked.length} envelopes: each .* by itself`))
  t.ok(server.asked.every(({ body }) => body!.length <= 5000))
  t.strictSame(
    server.asked.flatMap(recordsOf),
    lines.map(line => JSON.parse(line) as unknown),
  )
  t.equal(new Set(server.asked.map(keyOf)).size, server.asked.length, 'each has a key of its own')
})

const CI = { GITHUB_ACTIONS: 'true', GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'o/r' }

t.test('a retry has the key and the generation of its envelope, a later push has others', async t => {
  const cwd = t.testdir({ 'a.jsonl': jsonl([query()]) })
  const server = await startAnswering(t, json(503, {}), applied)
  const env = { ...CI, GITHUB_RUN_ID: '7', GITHUB_RUN_ATTEMPT: '2' }
  for (let pushes = 0; pushes < 2; pushes++) await push(cwd, ['a.jsonl', '--server', server.url], { env })
  const [first, retry, later] = server.asked.map(keyOf)
  t.match(first, /^[0-9a-f-]{36}-0-\d+$/)
  t.equal(retry, first)
  t.not(later, first)
  const [sent, repeated] = server.asked.map(({ headers }) => headers['vortex-ingest-generation'])
  t.match(JSON.parse(String(sent)), { ci: { producer: 'GitHub Actions https://github.com/o/r', run: 7, attempt: 2 } })
  t.equal(repeated, sent)
})

t.test('a record that fits into no envelope is refused, and no target gets anything', async t => {
  const cwd = t.testdir({
    'good.jsonl': jsonl([query()]),
    'f.jsonl': jsonl([query(), query({ dataset: 'x'.repeat(3_000) })]),
  })
  const server = await startAnswering(t, applied)
  const args = ['good.jsonl', 'f.jsonl', '--server', server.url, '--max-envelope-bytes', '3000']
  for (const more of [[], ['--embedded', 'store', '--require', 'all'], ['--dry-run']]) {
    const { code, stdout, stderr } = await push(cwd, [...args, ...more])
    t.equal(code, 65, stderr)
    t.match(stderr, /error: f\.jsonl:2 \(byte \d+\): the record's 3\d{3} bytes do not fit into an envelope of 3000/)
    t.match(stderr, /nothing was sent.*\nhint: .*--max-envelope-bytes/)
    t.equal(stdout, '')
  }
  t.equal(server.asked.length, 0)
})

t.test('memory stays flat for a file that is much larger', async t => {
  const cwd = t.testdir({ 'small.jsonl': jsonl(manyQueries(10)), 'large.jsonl': jsonl(manyQueries(150_000)) })
  const server = await startAnswering(t, (response, asked) => {
    response.end(JSON.stringify({ inserted: (asked.body!.toString().match(/"kind"/g) ?? []).length, updated: 0 }))
  })
  const peaks: number[] = []
  for (const name of ['small.jsonl', 'large.jsonl']) {
    const { code, stderr, peakRssMiB } = await push(cwd, [name, '--server', server.url], { measure: true })
    t.equal(code, 0, stderr)
    peaks.push(peakRssMiB)
  }
  t.ok(peaks[1]! < peaks[0]! + 45, `${peaks.join(' and ')} MiB`)
})
