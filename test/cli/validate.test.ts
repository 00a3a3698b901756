import t from 'tap'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { projectFile, runCli } from '../fixtures/cli.js'
import { SMALL } from '../source/fixtures/zstd.js'
import {
  SHA,
  access,
  jsonl,
  oneOfEach,
  query,
  search,
  size,
  time,
  token,
  writeCommit,
  writeLines,
} from '../fixtures/records.js'

const EXAMPLE = projectFile('examples/results.jsonl')

const EXAMPLE_KINDS = `\
  query_measurement            372
  compression_time              48
  compression_size              24
  random_access_time            24
  vector_search_run             36
`

const KINDS = 'query_measurement, compression_time, compression_size, random_access_time, vector_search_run'

t.test('a good file is valid, with its records of each kind counted', async t => {
  const { code, stdout, stderr } = await runCli(['validate', EXAMPLE])
  t.equal(code, 0)
  t.equal(stdout, `valid: 504 records in ${EXAMPLE}, contract version 3\n${EXAMPLE_KINDS}`)
  t.equal(stderr, '')
})

t.test('gzip and zstd are recognised by the content of a file, not by its name', async t => {
  const cwd = t.testdir({})
  writeFileSync(join(cwd, 'results.jsonl'), gzipSync(SMALL.text))
  writeFileSync(join(cwd, 'results.gz'), SMALL.bytes)
  writeFileSync(join(cwd, 'results.zst'), SMALL.text)
  for (const name of ['results.jsonl', 'results.gz', 'results.zst']) {
    const { code, stdout, stderr } = await runCli(['validate', name], { cwd })
    t.equal(code, 0, name)
    t.equal(stdout, `valid: 3 records in ${name}, contract version 1\n  compression_size               3\n`)
    t.equal(stderr, '')
  }
})

t.test('standard input is read for -, and where no file is named; compressed as well', async t => {
  const text = readFileSync(EXAMPLE)
  for (const [args, stdin] of [
    [['validate', '-'], text],
    [['validate'], text],
    [['validate', '-'], gzipSync(text)],
  ] as const) {
    const { code, stdout, stderr } = await runCli(args, { stdin })
    t.equal(code, 0)
    t.equal(stdout, `valid: 504 records in -, contract version 3\n${EXAMPLE_KINDS}`)
    t.equal(stderr, '')
  }
})

t.test('a glob stands for its files in the order of their names, each once', async t => {
  const cwd = t.testdir({ 'b.jsonl': jsonl([query()]), 'a.jsonl': jsonl([time(), size()]), 'note.txt': 'no' })
  const { code, stdout, stderr } = await runCli(['validate', '*.jsonl', 'b.jsonl', '--format', 'json'], { cwd })
  t.equal(code, 0)
  t.strictSame(parse(stdout).files, [
    { source: 'a.jsonl', lines: 2, records: 2, rejected: 0, contract_version: 1 },
    { source: 'b.jsonl', lines: 1, records: 1, rejected: 0, contract_version: 1 },
  ])
  t.equal(stderr, '')

  const human = await runCli(['validate', '*.jsonl'], { cwd })
  t.match(human.stdout, /^valid: 3 records in 2 files, contract version 1\n/)
})

t.test('every rejected line is listed with its place and its problem in words', async t => {
  const cwd = t.testdir({})
  const lines = [
    query(),
    query({ value_ns: token('1.5') }),
    '{"kind":',
    '',
    time({ extra: 1 }),
    size({ value_bytes: token('9223372036854775808') }),
    access({ dataset: 7 }),
    search({ threshold: 'high' }),
    query({ storage: 'gcs' }),
    query({ peak_physical: 0 }),
    time({ all_runtimes_ns: [1, token('2.0')] }),
    time({ op: null }),
    size(),
  ]
  const path = writeLines(cwd, 'bad.jsonl', lines)
  const { code, stdout, stderr } = await runCli(['validate', 'bad.jsonl'], { cwd })
  t.equal(code, 65)
  const at = (line: number): string => `error: bad.jsonl:${line} (byte ${byteOf(lines, line)}):`
  const memory = 'peak_physical, peak_virtual, physical_delta, virtual_delta'
  t.strictSame(stdout.split('\n'), [
    `${at(2)} /value_ns must be an integer, got 1.5 (written with a fraction, an exponent or as -0) (not_integer)`,
    `${at(3)} the line is not JSON: ends at column 9 where a value should be (invalid_json)`,
    `${at(5)} "/extra" is not a field of this kind (unknown_field)`,
    `${at(6)} /value_bytes must fit in 64 bits, got 9223372036854775808 (out_of_range)`,
    `${at(7)} /dataset must be a string, got 7 (not_string)`,
    `${at(8)} /threshold must be a number, got "high" (not_number)`,
    `${at(9)} /storage must be one of nvme, s3, got "gcs" (bad_value)`,
    `${at(10)} ${memory} must be all present or all absent; missing: ${memory.slice('peak_physical, '.length)} (partial_fields)`,
    `${at(11)} /all_runtimes_ns/1 must be an integer, got 2.0 (written with a fraction, an exponent or as -0) (not_integer)`,
    `${at(12)} /op must be a string, got null (not_string)`,
    'invalid: 10 of 12 lines rejected in bad.jsonl, contract version 1',
    '  query_measurement              1',
    '  compression_size               1',
    '',
  ])
  t.equal(stderr, '')

  const json = await runCli(['validate', path, '--format', 'json'])
  t.equal(json.code, 65)
  const document = parse(json.stdout)
  t.match(document, {
    ...{ command: 'validate', exit_code: 65, valid: false, stopped_early: false, lines: 13, records: 2, rejected: 10 },
    kinds: { query_measurement: 1, compression_size: 1 },
    files: [{ source: path, lines: 13, records: 2, rejected: 10 }],
  })
  t.strictSame(document.rejections[0], {
    ...{ source: path, line: 2, byte: byteOf(lines, 2), pointer: '/value_ns', code: 'not_integer' },
    message: '/value_ns must be an integer, got 1.5 (written with a fraction, an exponent or as -0)',
  })
  t.equal(document.rejections.length, 10)
  t.equal(json.stderr, '')
})

t.test('--max-rejections stops early and says so', async t => {
  const cwd = t.testdir({ 'bad.jsonl': '{}\n'.repeat(50), 'next.jsonl': '{}\n' })
  const { code, stdout } = await runCli(['validate', 'bad.jsonl', 'next.jsonl', '--max-rejections', '3'], { cwd })
  t.equal(code, 65)
  t.equal(
    stdout,
    [1, 2, 3]
      .map(line => `error: bad.jsonl:${line} (byte ${(line - 1) * 3}): /kind is missing (missing_field)\n`)
      .join('') + 'invalid: stopped after 3 rejected lines in bad.jsonl\n',
  )
  const json = await runCli(['validate', 'bad.jsonl', '--max-rejections', '3', '--format', 'json'], { cwd })
  t.match(parse(json.stdout), { rejected: 3, stopped_early: true, exit_code: 65, rejections: { length: 3 } })
})

t.test('--max-rejections ends a pass over an input that does not end', async t => {
  const { code, stdout } = await runCli(['validate', '-', '--max-rejections', '1'], { stdin: '{}\n'.repeat(1_000_000) })
  t.equal(code, 65)
  t.equal(
    stdout,
    'error: -:1 (byte 0): /kind is missing (missing_field)\ninvalid: stopped after 1 rejected line in -\n',
  )
})

t.test('--commit-sha refuses the records of another commit, which are then no records', async t => {
  const other = 'f'.repeat(40)
  const cwd = t.testdir({ 'two.jsonl': jsonl([query(), time({ commit_sha: other })]) })
  const { code, stdout } = await runCli(['validate', 'two.jsonl', '--commit-sha', SHA], { cwd })
  t.equal(code, 65)
  t.equal(
    stdout,
    `error: two.jsonl:2 (byte ${query().length + 1}): /commit_sha must be "${SHA}", got "${other}" (commit_mismatch)\n` +
      'invalid: 1 of 2 lines rejected in two.jsonl, contract version 1\n  query_measurement              1\n',
  )
  t.equal((await runCli(['validate', '-', '--commit-sha', SHA], { stdin: jsonl(oneOfEach()) })).code, 0)
})

t.test('a questionable value that is valid is a warning', async t => {
  const lines = [search({ threshold: token('0.12345678901234567891') }), query(), query({ value_ns: 121 }), time()]
  const cwd = t.testdir({ 'odd.jsonl': jsonl(lines), 'empty.jsonl': '', 'blank.jsonl': '\n \r\n' })
  const { code, stdout, stderr } = await runCli(['validate', 'odd.jsonl'], { cwd })
  t.equal(code, 0)
  t.strictSame(stdout.split('\n'), [
    'warning: odd.jsonl:1: /threshold 0.12345678901234567891 may be read one unit off by a path A server: ' +
      'more than 2^53 of significand or a power of ten beyond ±22 (inexact_threshold)',
    'warning: odd.jsonl:3: the same measurement as line 2; the last one wins (duplicate_id)',
    'valid: 4 records in odd.jsonl, contract version 1, 2 warnings',
    '  query_measurement              2',
    '  compression_time               1',
    '  vector_search_run              1',
    '',
  ])
  t.equal(stderr, '')
  for (const name of ['empty.jsonl', 'blank.jsonl']) {
    const empty = await runCli(['validate', name], { cwd })
    t.equal(empty.code, 0)
    t.equal(empty.stdout, `warning: ${name}: holds no records (empty_input)\nvalid: 0 records in ${name}, 1 warning\n`)
  }

  const json = parse((await runCli(['validate', 'odd.jsonl', '--format', 'json'], { cwd })).stdout)
  t.match(json, { valid: true, warned: 2, rejections: [] })
  t.strictSame(new Set(json.warnings.map(({ code }) => code)), new Set(['inexact_threshold', 'duplicate_id']))
})

t.test('JSON is one document with no rejection, with many, and when the input breaks off', async t => {
  const cwd = t.testdir({})
  const many = gzipSync('{"kind":"sixth"}\n'.repeat(20_000))
  writeFileSync(join(cwd, 'many.gz'), many)
  writeFileSync(join(cwd, 'cut.gz'), many.subarray(0, many.length - 20))
  const none = parse((await runCli(['validate', EXAMPLE, '--format', 'json'])).stdout)
  t.strictSame(none.rejections, [])

  const all = await runCli(['validate', 'many.gz', '--format', 'json'], { cwd })
  t.equal(parse(all.stdout).rejections.length, 20_000)

  const cut = await runCli(['validate', 'cut.gz', '--format', 'json'], { cwd })
  t.equal(cut.code, 65)
  t.match(parse(cut.stdout), { exit_code: 65, error: { code: 'input_corrupt', message: /^cut\.gz: gzip data/ } })
  t.ok(parse(cut.stdout).rejections.length > 0, 'what was found before it broke off is there')
  t.match(cut.stderr, /^error: cut\.gz: gzip data is damaged or cut short \(.*\)\nhint: .*\n$/)

  const missing = await runCli(['validate', 'nowhere.jsonl', '--format', 'json'], { cwd })
  t.equal(missing.code, 66)
  t.match(parse(missing.stdout), { exit_code: 66, error: { code: 'no_input' } })
})

t.test('it needs no git, no network and no home', async t => {
  const cwd = t.testdir({ 'one.jsonl': jsonl([query({ kind: 'sixth' })]) })
  const env = { PATH: '', HOME: '/nonexistent', TMPDIR: '/nonexistent', http_proxy: 'http://127.0.0.1:1' }
  const { code, stdout, stderr } = await runCli(['validate', 'one.jsonl'], { cwd, env })
  t.equal(code, 65)
  t.match(stdout, `/kind must be one of ${KINDS}, got "sixth" (unknown_kind)`)
  t.equal(stderr, '')
})

t.test('a value that is probably wrong is one warning, however many records have one', async t => {
  const lines = [
    query({ value_ns: 0, all_runtimes_ns: [0] }),
    ...Array.from({ length: 2_000 }, (_, at) => query({ query_idx: at + 2, value_ns: 99 })),
    time({ all_runtimes_ns: [] }),
    size({ value_bytes: -1 }),
  ]
  const cwd = t.testdir({ 'odd.jsonl': jsonl(lines) })
  const warnings = [
    'warning: odd.jsonl:1: /value_ns is 0, which is not greater than 0; this is the first of 2 such records (non_positive_value)',
    'warning: odd.jsonl:2: /value_ns is 99, which is outside the range of its /all_runtimes_ns; ' +
      'this is the first of 2000 such records (value_outside_runs)',
    'warning: odd.jsonl:2002: /all_runtimes_ns is empty (no_runs)',
  ]
  const { code, stdout } = await runCli(['validate', 'odd.jsonl'], { cwd })
  t.equal(code, 0)
  t.strictSame(stdout.split('\n').slice(0, 4), [
    ...warnings,
    'valid: 2,003 records in odd.jsonl, contract version 1, 3 warnings',
  ])
  const pushed = await runCli(['push', 'odd.jsonl', '--dry-run', '--commit', writeCommit(cwd)], { cwd })
  t.strictSame([pushed.code, pushed.stderr], [0, `${warnings.join('\n')}\n`], 'a push says the same')
})

t.test('--require-records makes a file without records an error, of validate and of push', async t => {
  const cwd = t.testdir({ 'empty.jsonl': ' \n', 'full.jsonl': jsonl([query()]) })
  const dry = ['--dry-run', '--commit', writeCommit(cwd)]
  const state = ['--state', 'state', '--embedded', '--commit', 'commit.json']
  for (const args of [['validate'], ['push', ...dry], ['push', ...dry, '--state', 'memory:']]) {
    const { code, stderr } = await runCli([...args, 'full.jsonl', 'empty.jsonl', '--require-records'], { cwd })
    t.equal(code, 65, args.join(' '))
    t.match(stderr, /^error: empty\.jsonl holds no records\nhint: check whether the benchmarks ran; .*\n$/)
    t.equal((await runCli([...args, 'full.jsonl', '--require-records'], { cwd })).code, 0)
  }
  t.equal((await runCli(['push', ...state, 'empty.jsonl'], { cwd })).code, 0)
  const again = await runCli(['push', ...state, 'empty.jsonl', '--require-records'], { cwd })
  t.equal(again.code, 65, 'also if the file was enqueued before')
})

t.test('at most 20 rejected lines and 20 warnings are printed, with the number of the others', async t => {
  const cwd = t.testdir({
    'bad.jsonl': '{}\n'.repeat(1_021),
    'twice.jsonl': jsonl(Array.from({ length: 32 }, () => query())),
  })
  const { code, stdout, stderr } = await runCli(['validate', 'bad.jsonl', 'twice.jsonl'], { cwd })
  t.equal(code, 65)
  const lines = stdout.split('\n')
  t.equal(lines.filter(line => line.startsWith('error: bad.jsonl:')).length, 20)
  t.equal(lines.filter(line => line.startsWith('warning: twice.jsonl:')).length, 20)
  t.match(
    stdout,
    '\nerror: and 1,001 more rejected lines\nwarning: and 11 more warnings\ninvalid: 1,021 of 1,053 lines',
  )
  t.equal(stderr, 'hint: --format json lists every rejected line, and the first 1,000 warnings\n')
  const more = await runCli(['validate', 'bad.jsonl', '--max-rejections', '30'], { cwd })
  t.equal(more.stdout.match(/^error: bad/gm)?.length, 30)
})

t.test('an unknown variable of the program is a warning with the nearest name, without its value', async t => {
  const cwd = t.testdir({ 'one.jsonl': jsonl([query()]) })
  const env = { VORTEX_INGEST_POSTGRESS: 'postgres://secret', VORTEX_INGEST_QQQQQQQQ: '', VORTEX_INGEST_STATE: 'x' }
  const { code, stderr } = await runCli(['validate', 'one.jsonl'], { cwd, env })
  t.equal(code, 0)
  t.equal(
    stderr,
    'warning: the environment variable VORTEX_INGEST_POSTGRESS sets nothing (Did you mean VORTEX_INGEST_POSTGRES?)\n' +
      'warning: the environment variable VORTEX_INGEST_QQQQQQQQ sets nothing\n',
  )
  const known = {
    ...{ VORTEX_INGEST_OPERATOR_TOKEN: 'x', VORTEX_INGEST_LISTEN: '1', VORTEX_INGEST_DRY_RUN: 'true' },
    ...{ VORTEX_INGEST_TOKEN_ENV: 'VORTEX_INGEST_MY_TOKEN', VORTEX_INGEST_MY_TOKEN: 'x' },
  }
  const push = await runCli(['push', 'one.jsonl', '--commit', writeCommit(cwd)], { cwd, env: known })
  t.strictSame(
    [push.code, push.stderr],
    [0, ''],
    'flags of other commands, and a variable that a flag names, are known',
  )
  t.equal((await runCli(['completion', 'bash'], { cwd, env })).stderr, '')
})

type Document = {
  readonly rejections: readonly object[]
  readonly files: readonly object[]
  readonly warnings: readonly { readonly code: string }[]
}

function parse(stdout: string): Document {
  return JSON.parse(stdout) as Document
}

/** Where line `line`, counted from 1, starts. */
function byteOf(lines: readonly string[], line: number): number {
  return Buffer.byteLength(jsonl(lines.slice(0, line - 1)))
}
