/** Exit code, message and retries of a push for each answer of a server. */

import t from 'tap'
import { gzipSync } from 'node:zlib'
import { applied, json, recordsOf, startAnswering, startHttpServer, type Answer } from '../fixtures/http-server.js'
import { push, pushReported, TOKEN, writeFile } from './fixtures/pushing.js'
import { jsonl, manyQueries, query, writeLines } from '../fixtures/records.js'

const html: Answer = response => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>')
/** More than one line, with bytes that would steer a terminal. */
const page =
  (status: number): Answer =>
  response =>
    response.writeHead(status, { 'content-type': 'text/html' }).end('\r\n<html> \u001b[31mno\r\n<body>')
const huge: Answer = response => response.writeHead(404).end(Buffer.alloc(10_000_000, 'x'))

/** Answers that nothing changes: sent once, and told. */
const FINAL: readonly (readonly [string, Answer, number, RegExp])[] = [
  ['400', json(400, { error: 'malformed', message: 'commit.sha is odd' }), 65, /answered 400: commit\.sha is odd/],
  [
    '401',
    json(401, { error: 'unauthorized' }),
    77,
    /answered 401: unauthorized\nhint: check the token in INGEST_BEARER_TOKEN/,
  ],
  ['403', json(403, {}), 77, /answered 403\nhint: check the token/],
  ['404', json(404, { error: 'no such route' }), 78, /answered 404: no such route\nhint: .*without \/api\/ingest/],
  ['a huge 404', huge, 78, /answered 404: x{200}…\nhint/],
  ['an HTML page', page(404), 78, /answered 404: <html> \\u001b\[31mno\nhint/],
  ['a 400 in plain text', page(400), 65, /answered 400: <html> /],
  [
    '409',
    json(409, { error: 'schema_version_too_new', expected: 0, got: 1 }),
    78,
    /is at contract version 0 but the records are of version 1\nhint/,
  ],
  ['409 of something else', json(409, {}), 78, /409|version/],
  ['413', json(413, {}), 78, /answered 413\nhint: .*smaller --max-envelope-bytes/],
  ['200 with a page', html, 78, /answered 200, but not with inserted and updated\nhint: .*--server/],
  ['200 with other JSON', json(200, { inserted: '2', updated: 0 }), 78, /not with inserted and updated/],
  ['204', response => response.writeHead(204).end(), 78, /answered 204/],
  ['fewer records', json(200, { inserted: 0, updated: 1 }), 78, /acknowledged 0 inserted and 1 updated of 2 records/],
  ['more records', json(200, { inserted: 3, updated: 0 }), 78, /acknowledged 3 inserted and 0 updated of 2 records/],
]

t.test('a permanent refusal is reported without retries, and --allow-failure does not hide it', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query(), query({ query_idx: 2 })]) })
  for (const [name, answer, wanted, says] of FINAL) {
    const server = await startAnswering(t, answer)
    const { code, stdout, stderr } = await push(cwd, ['f.jsonl', '--server', server.url, '--allow-failure'])
    t.equal(code, wanted, name)
    t.match(stderr, says, name)
    t.equal(stdout, '', name)
    t.equal(server.asked.length, 1, `${name} is not tried again`)
  }
})

t.test('a huge answer costs no memory', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  const server = await startAnswering(t, json(404, {}), huge)
  const [small, large] = [
    await push(cwd, ['f.jsonl', '--server', server.url], { measure: true }),
    await push(cwd, ['f.jsonl', '--server', server.url], { measure: true }),
  ]
  t.ok(large.peakRssMiB < small.peakRssMiB + 8, `${small.peakRssMiB} and ${large.peakRssMiB} MiB`)
})

t.test('a redirect to another host is not followed, and the token does not get there', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  const other = await startAnswering(t, applied)
  for (const status of [301, 302, 303, 307, 308]) {
    const server = await startAnswering(t, json(status, {}, { location: `${other.url}/api/ingest` }))
    const { code, stderr } = await push(cwd, ['f.jsonl', '--server', server.url])
    t.equal(code, 78)
    t.match(stderr, new RegExp(`redirects to "${other.url}/api/ingest"\nhint: .*final address`))
  }
  t.equal(other.asked.length, 0)
})

t.test('a record that a server refuses is reported by its line', async t => {
  const text = `\r\n${query()}\r\n\r\n${query({ query_idx: 2 })}\r\n \n${query({ query_idx: 3 })}`
  const cwd = t.testdir({ 'plain.jsonl': text })
  writeFile(cwd, 'packed.gz', gzipSync(text))
  const refusal = json(400, { error: 'record', record_index: 2, message: 'storage is odd' })
  for (const [name, stdin] of [['plain.jsonl'], ['packed.gz'], ['-', text]] as const) {
    const server = await startAnswering(t, refusal)
    const { code, stderr, target } = await pushReported(cwd, [name, '--server', server.url], { stdin: stdin ?? '' })
    t.equal(code, 65)
    t.match(stderr, new RegExp(`error: ${name}:6 \\(byte \\d+\\): the server refuses the record: storage is odd`))
    t.match(target.failed, { code: 'bad_data', message: new RegExp(`^${name}:6 `) })
    t.equal(server.asked.length, 1)
  }
})

t.test('a refusal in a later envelope is reported by its line, with the number of delivered records', async t => {
  const cwd = t.testdir({})
  writeLines(cwd, 'f.jsonl', ['', ...manyQueries(20)])
  const server = await startAnswering(t, applied, json(400, { error: 'record', record_index: 1, message: 'odd' }))
  const { code, stderr, target, report } = await pushReported(cwd, [
    ...['f.jsonl', '--server', server.url, '--max-envelope-bytes', '2000'],
  ])
  const landed = recordsOf(server.asked[0]!).length
  t.equal(code, 65)
  t.match(stderr, new RegExp(`f\\.jsonl:${landed + 3} \\(byte \\d+\\): the server refuses the record: odd`))
  t.match(stderr, new RegExp(`1 of \\d+ envelopes of f\\.jsonl, with ${landed} records, were delivered`))
  t.match(target, { status: 'failed', records: landed, inserted: landed, chunks: 1, attempts: 2 })
  t.match(report, { records: landed, inserted: landed, chunks: 1, files: [] })
})

t.test('an index that no record has changes nothing', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  for (const record_index of [1, -1, 0.5, '0', null]) {
    const server = await startAnswering(t, json(400, { error: 'record', record_index, message: 'odd' }))
    const { code, stderr } = await push(cwd, ['f.jsonl', '--server', server.url])
    t.equal(code, 65)
    t.match(stderr, /answered 400: odd/)
  }
})

t.test('a push of several files stops at the refused one and reports the delivered ones', async t => {
  const names = ['a.jsonl', 'b.jsonl', 'c.jsonl']
  const cwd = t.testdir(Object.fromEntries(names.map((name, i) => [name, jsonl([query({ query_idx: i })])])))
  const server = await startAnswering(t, applied, json(400, { error: 'malformed', message: 'no' }))
  const { code, stderr, report } = await pushReported(cwd, [...names, '--server', server.url])
  t.equal(code, 65)
  t.match(report, { records: 1, inserted: 1, failed: { source: 'b.jsonl' } })
  t.match(stderr, /b\.jsonl was not stored completely; the files before it were/)
  t.equal(server.asked.length, 2)
})

/** Its line is cut within the token. */
const nearlyTooLong: Answer = response => response.writeHead(500).end(`${'x'.repeat(190)}${TOKEN}`)

t.test("a server's text stays on one line, and a token in it is redacted", async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  for (const answer of [
    json(401, { error: 'unauthorized', message: `bad token ${TOKEN}\n\u001b[32mingested 9 records` }),
    json(302, {}, { location: `https://elsewhere.example/?t=${TOKEN}` }),
    json(500, { error: TOKEN }),
    nearlyTooLong,
    json(400, { error: 'record', record_index: 0, message: TOKEN }),
  ])
    for (const format of ['human', 'json']) {
      const server = await startHttpServer(t, { answer: () => answer })
      const { stdout, stderr } = await push(cwd, [
        ...['f.jsonl', '--server', server.url, '--format', format, '--retries', '0'],
      ])
      t.notMatch(stdout + stderr, TOKEN)
      t.notMatch(stderr, /^ingested|\u001b/m)
    }
})
