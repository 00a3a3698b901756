import { gzipSync } from 'node:zlib'
import t from 'tap'
import { runCli } from '../../fixtures/cli.js'
import { onTerminal, screenOf, noTerminal } from '../../fixtures/terminal.js'
import { query } from '../../fixtures/records.js'

const skip = noTerminal
const PROGRESS = /reading|left/

/** Long enough to be looked at: more than a second of work in a small file, of gzip members that are all the same. */
function longInput(): Buffer {
  const member = gzipSync(`${query()}\n`.repeat(4000))
  return Buffer.concat([...Array<Buffer>(400).fill(member), gzipSync('{"kind":"seventh"}\n')])
}

t.test('progress on a terminal', { skip }, async t => {
  const cwd = t.testdir({ 'long.jsonl': longInput() })

  for (const columns of [80, 40])
    await t.test(`at ${columns} columns it is drawn in one line and gone at the end`, async t => {
      const { code, text } = await onTerminal('vortex-ingest id long.jsonl > /dev/null', { columns, cwd })
      t.equal(code, 65)
      t.match(text, /reading long\.jsonl .* \d+ %/)
      t.match(text, / s left/)
      for (const frame of text.split('\u001b[K').flatMap(part => part.split('\r')))
        if (PROGRESS.test(frame)) t.ok(frame.length < columns, frame)
      t.notMatch(screenOf(text).join('\n'), PROGRESS)
      t.match(screenOf(text)[0], /^error: long\.jsonl:\d+ /, 'the error has a line of its own')
    })

  await t.test('for a pipe it shows the amount and the speed', async t => {
    const { text } = await onTerminal('cat long.jsonl | vortex-ingest id - > /dev/null', { columns: 80, cwd })
    t.match(text, /reading standard input {2}[\d.]+ [kM]B {2}[\d.]+ [kM]B\/s/)
    t.notMatch(text, /left/)
  })

  for (const [name, line, env] of [
    ['with --no-progress', 'vortex-ingest --no-progress id long.jsonl > /dev/null', {}],
    ['with -q', 'vortex-ingest id -q long.jsonl > /dev/null', {}],
    ['in CI', 'vortex-ingest id long.jsonl > /dev/null', { CI: 'true' }],
    ['on a dumb terminal', 'vortex-ingest id long.jsonl > /dev/null', { TERM: 'dumb' }],
    ['with stderr elsewhere', 'vortex-ingest id long.jsonl 2>&1 > /dev/null | cat', {}],
  ] as const)
    await t.test(`${name} there is none`, async t => {
      const { text } = await onTerminal(line, { columns: 80, cwd, env })
      t.match(text, /error:\S* long\.jsonl/)
      t.notMatch(text, /reading|\u001b\[K/)
    })

  await t.test('a short command shows no progress', async t => {
    const { text } = await onTerminal('vortex-ingest golden-check', { columns: 80 })
    t.notMatch(text, /\u001b\[K/)
  })
})

t.test('-q prints errors alone, and data', async t => {
  const cwd = t.testdir({ 'good.jsonl': query(), 'bad.jsonl': '{"kind":"seventh"}\n' })
  const good = await runCli(['-q', 'validate', 'good.jsonl'], { cwd })
  t.strictSame([good.code, good.stdout, good.stderr], [0, '', ''])
  const bad = await runCli(['validate', 'bad.jsonl', '--quiet'], { cwd })
  t.equal(bad.code, 65)
  t.match(bad.stdout, /^error: bad\.jsonl:1 [^\n]*\n$/)
  const missing = await runCli(['validate', 'none.jsonl', '-q'], { cwd })
  t.match(missing.stderr, /^error: .*\nhint: /)
  t.match((await runCli(['id', '-q', 'good.jsonl'], { cwd })).stdout, /^-?\d+\n$/)
  t.match(JSON.parse((await runCli(['validate', '-q', 'good.jsonl', '--format', 'json'], { cwd })).stdout), {
    exit_code: 0,
  })
})

t.test('-v logs settings with their origin and the statements sent to the database, without secrets', async t => {
  const cwd = t.testdir({ 'good.jsonl': query() })
  const env = { VORTEX_INGEST_POSTGRES: 'postgres://u:hunter2@127.0.0.1:1/d', VORTEX_INGEST_RETRY_DEADLINE: '0.1' }
  const { code, stderr } = await runCli(['push', 'good.jsonl', '-v', '--insecure-local', '--commit', '/dev/null'], {
    cwd,
    env,
  })
  t.not(code, 0)
  t.match(stderr, /^- postgres: .*127\.0\.0\.1.* \(VORTEX_INGEST_POSTGRES\)$/m)
  t.match(stderr, /^- insecure-local: yes \(--insecure-local\)$/m)
  t.notMatch(stderr, /hunter2/)
  const told = await runCli(['migrate', '--embedded', 'store', '--verbose'], { cwd })
  t.match(told.stderr, /^- the embedded database: \d+ calls in \d+ ms$/m)
  t.notMatch((await runCli(['migrate', '--embedded', 'store'], { cwd })).stderr, /calls/)
})

t.test('-q and -v do not go together', async t => {
  const { code, stderr } = await runCli(['validate', '-q', '-v', 'x'])
  t.equal(code, 2)
  t.match(stderr, /--verbose.*cannot be used with.*--quiet/)
})
