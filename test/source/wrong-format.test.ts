import t from 'tap'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { IngestError, validate } from '../../src/index.js'
import { runCli } from '../fixtures/cli.js'
import { COMMIT, jsonl, oneOfEach, query, time, writeCommit } from '../fixtures/records.js'

const TOOLS = fileURLToPath(new URL('fixtures/other-tools/', import.meta.url))

/** The name of the tool in messages, by the beginning of the names of its files. */
const NAMES: Readonly<Record<string, string>> = {
  cargo: 'Criterion',
  criterion: 'Criterion',
  go: 'go test -bench',
  google: 'Google Benchmark',
  hyperfine: 'hyperfine',
  jmh: 'JMH',
  pytest: 'pytest-benchmark',
}

const records = jsonl(oneOfEach())
const pretty = (text: string): string => JSON.stringify(JSON.parse(text), undefined, 2)
const utf16 = Buffer.from(records, 'utf16le')
const envelope = JSON.stringify({ run_meta: {}, commit: COMMIT, records: [JSON.parse(query())] })

/** Contents of files with the message about each, after the name of the file. */
const DOCUMENTS: readonly (readonly [content: string | Buffer, message: string])[] = [
  [`[${oneOfEach().join(',')}]`, 'begins with a JSON array'],
  [`[\n${oneOfEach().join(',\n')}\n]\n`, 'begins with a JSON array'],
  [pretty(`[${query()}]`), 'begins with a JSON array'],
  ['\ufeff[]', 'begins with a JSON array'],
  [pretty(query()), 'begins with a JSON object over several lines'],
  [
    `\n${pretty(query()).replace('{\n', '{ ').replaceAll('\n', '\r\n')}`,
    'begins with a JSON object over several lines',
  ],
  [JSON.stringify(COMMIT), 'describes a commit, and holds no records'],
  [JSON.stringify({ commit: COMMIT }, undefined, 2), 'describes a commit, and holds no records'],
  [envelope, 'holds an envelope, not records'],
  [pretty(envelope), 'holds an envelope, not records'],
  [utf16, 'is text in UTF-16LE, but records are UTF-8'],
  [Buffer.from(utf16).swap16(), 'is text in UTF-16BE, but records are UTF-8'],
  [Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]), 'is text in UTF-16, but records are UTF-8'],
  [Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(utf16).swap16()]), 'is text in UTF-16, but records are UTF-8'],
]

async function errorOf(path: string): Promise<IngestError> {
  const error = await validate([path]).catch((thrown: unknown) => thrown)
  if (error instanceof IngestError) return error
  throw new Error(`no error, but ${JSON.stringify(error)}`)
}

t.test('the output of each tool is named', async t => {
  for (const file of readdirSync(TOOLS)) {
    const { code, message, hint } = await errorOf(join(TOOLS, file))
    const tool = NAMES[file.split(/[-.]/)[0]!]
    t.strictSame([code, message], ['wrong_format', `${join(TOOLS, file)} holds the output of ${tool}, not records`])
    t.match(hint, /^make records of it: vortex-ingest convert --from [a-z-]+ FILE > results.jsonl$/)
  }
})

t.test('other documents and encodings are named, also in compressed files', async t => {
  const path = join(t.testdir(), 'f')
  for (const [content, message] of DOCUMENTS)
    for (const bytes of [content, gzipSync(content)]) {
      writeFileSync(path, bytes)
      const error = await errorOf(path)
      t.strictSame([error.code, error.message], ['wrong_format', `${path} ${message}`])
      t.ok(error.hint)
    }
})

t.test('a record file with a bad first line is checked line by line', async t => {
  const path = join(t.testdir(), 'f')
  for (const first of [
    'Benchmarking taxi: Warming up for 3.0000 s',
    'Running 3 benchmarks',
    '[INFO] started',
    '{',
    '{"kind":"compression_time",',
    query().slice(0, 60),
    `\ufeff${query()}`,
    '{"sha":"x"}',
    '1,2,3',
    '"text"',
    '\0\0',
  ]) {
    writeFileSync(path, jsonl([first, query(), time()]))
    const { rejected, records } = await validate([path])
    t.strictSame([rejected, records], [1, 2], first)
  }
})

t.test('only the beginning of a file decides: later lines are rejected one by one', async t => {
  const path = join(t.testdir(), 'f')
  writeFileSync(path, jsonl([query(), '[1]', pretty(JSON.stringify(COMMIT)), 'goos: linux']))
  t.match(await validate([path]), { records: 1, rejected: 13 })
})

t.test('validate and push print one error and one hint, and exit with 65', async t => {
  const cwd = t.testdir({ 'a.json': `[\n${oneOfEach().join(',\n')}\n]\n` })
  const push = ['push', 'a.json', '--embedded', '--commit', writeCommit(cwd)]
  for (const args of [['validate', 'a.json'], push, [...push, '--state', 'state'], ['id', 'a.json']]) {
    const { code, stdout, stderr } = await runCli(args, { cwd })
    t.strictSame([code, stdout], [65, ''], args.join(' '))
    t.equal(
      stderr,
      'error: a.json begins with a JSON array\nhint: write its elements, one per line: jq -c ".[]" FILE > results.jsonl\n',
    )
  }
  const { stdout } = await runCli(['validate', 'a.json', '--format', 'json'], { cwd })
  t.match(JSON.parse(stdout), { exit_code: 65, error: { code: 'wrong_format' } })
  const piped = await runCli(['validate'], { cwd, stdin: readFileSync(join(cwd, 'a.json')) })
  t.match(piped, { code: 65, stderr: /^error: - begins with a JSON array\n/ })
})
