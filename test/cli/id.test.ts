import t, { type Test } from 'tap'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { projectFile, runCli, startCli } from '../fixtures/cli.js'
import { readSharedFixture } from '../fixtures/shared.js'
import { access, jsonl, manyQueries, query, search, size, time, token } from '../fixtures/records.js'

/** A kind by its table, and what a record of it needs beside the dimensions. */
const KIND_OF_TABLE: Readonly<Record<string, readonly [kind: string, rest: string]>> = {
  query_measurements: ['query_measurement', '"value_ns":1,"all_runtimes_ns":[]'],
  compression_times: ['compression_time', '"value_ns":1,"all_runtimes_ns":[]'],
  compression_sizes: ['compression_size', '"value_bytes":1'],
  random_access_times: ['random_access_time', '"value_ns":1,"all_runtimes_ns":[]'],
  vector_search_runs: [
    'vector_search_run',
    '"value_ns":1,"all_runtimes_ns":[],"matches":0,"rows_scanned":0,"bytes_scanned":0,"iterations":1',
  ],
}

t.test('the ids of records that have the dimensions of the golden vectors are the golden ids', async t => {
  await checkGoldenIds(t, goldenVectors('measurement-id.json'), 1_500)
})

t.test('records with an open_mode have the golden ids of version 3', async t => {
  const vectors = goldenVectors('measurement-id-v3.json').filter(hasFieldsOfVersion3)
  t.ok(vectors.some(({ line }) => line.includes('"open_mode":"reopen"')))
  await checkGoldenIds(t, vectors, 700)
})

async function checkGoldenIds(t: Test, all: readonly Identified[], atLeast: number): Promise<void> {
  const vectors = all.filter(isRecord)
  t.ok(vectors.length > atLeast, `${vectors.length} records`)
  const { code, stdout, stderr } = await runCli(['id', '-'], { stdin: jsonl(vectors.map(({ line }) => line)) })
  t.equal(code, 0, stderr)
  t.strictSame(
    stdout.trimEnd().split('\n'),
    vectors.map(({ id }) => id),
  )
}

t.test('the ids are those of the reference implementation', async t => {
  const text = await readSharedFixture(t, 'fixtures/ids.jsonl')
  if (text === undefined) return
  const pairs = text.trimEnd().split('\n').map(splitReference)
  t.equal(pairs.length, 533)
  const { code, stdout } = await runCli(['id'], { stdin: jsonl(pairs.map(({ line }) => line)) })
  t.equal(code, 0)
  t.strictSame(
    stdout.trimEnd().split('\n'),
    pairs.map(({ id }) => id),
  )
})

t.test('ids are printed in the order of files and lines, across kinds', async t => {
  const cwd = t.testdir({ 'b.jsonl': jsonl([size(), query(), search()]), 'a.gz': gzipSync(jsonl([access(), time()])) })
  const one = async (line: string): Promise<string> => (await runCli(['id'], { stdin: line })).stdout
  const { code, stdout, stderr } = await runCli(['id', 'b.jsonl', 'a.gz'], { cwd })
  t.equal(code, 0)
  t.equal(stdout, (await Promise.all([size(), query(), search(), access(), time()].map(one))).join(''))
  t.equal(stderr, '')
})

t.test('a rejected line prints an empty line in its place and its reason on stderr', async t => {
  const lines = [query(), '{"kind":"sixth"}', '', time(), time({ value_ns: token('1e3') }), '[]', size(), 'null']
  const good = (await runCli(['id'], { stdin: jsonl([query(), time(), size()]) })).stdout.trimEnd().split('\n')
  const { code, stdout, stderr } = await runCli(['id'], { stdin: jsonl(lines) })
  t.equal(code, 65)
  t.strictSame(stdout.split('\n'), [good[0], '', good[1], '', '', good[2], '', ''])
  t.strictSame(
    stderr.split('\n').map(line => line.replace(/.*\((\w+)\)$/, '$1')),
    ['unknown_kind', 'not_integer', 'not_object', 'not_object', ''],
  )
  t.match(
    stderr,
    /^error: -:2 \(byte \d+\): \/kind must be one of query_measurement, .*, got "sixth" \(unknown_kind\)\n/,
  )
})

t.test('--format json prints one object a record, with exactly the members that are documented', async t => {
  const cwd = t.testdir({ 'some.jsonl': jsonl([query(), '{}', '', size()]) })
  const ids = (await runCli(['id', 'some.jsonl'], { cwd })).stdout.split('\n')
  const { code, stdout, stderr } = await runCli(['id', 'some.jsonl', '--format', 'json'], { cwd })
  t.equal(code, 65)
  t.equal(
    stdout,
    `{"source":"some.jsonl","line":1,"kind":"query_measurement","measurement_id":"${ids[0]}"}\n` +
      `{"source":"some.jsonl","line":4,"kind":"compression_size","measurement_id":"${ids[2]}"}\n`,
  )
  t.match(stderr, /^error: some\.jsonl:2 \(byte \d+\): \/kind is missing \(missing_field\)\n$/)
})

t.test('an input that breaks off leaves only ids on stdout, and an error', async t => {
  const cwd = t.testdir({})
  const packed = gzipSync(jsonl(manyQueries(2_000)))
  writeFileSync(join(cwd, 'cut.gz'), packed.subarray(0, packed.length / 2))
  const { code, stdout, stderr } = await runCli(['id', 'cut.gz', '--format', 'json'], { cwd })
  t.equal(code, 65)
  const lines = stdout.trimEnd().split('\n')
  t.ok(lines.length > 100)
  for (const line of lines)
    t.strictSame(Object.keys(JSON.parse(line) as object), ['source', 'line', 'kind', 'measurement_id'])
  t.match(stderr, /^error: cut\.gz: gzip data is damaged or cut short .*\nhint: .*\n$/)
})

t.test('a reader that has enough ends it early and quietly, as `| head -1` does', async t => {
  const cwd = t.testdir({ 'many.jsonl': jsonl(manyQueries(50_000)) })
  for (const format of ['human', 'json']) {
    const { child, result } = startCli(['id', 'many.jsonl', '--format', format], { cwd })
    await once(child.stdout!, 'data')
    child.stdout!.destroy()
    const { code, signal, stderr } = await result
    t.match({ code, signal, stderr }, { code: 0, signal: null, stderr: '' }, format)
  }
})

type Identified = { readonly line: string; readonly id: string }

/** Cut out of the text: a threshold must stay as it is written, an id is beyond what a number holds. */
function goldenVectors(file: string): Identified[] {
  const text = readFileSync(projectFile(`golden/${file}`), 'utf8')
  return [...text.matchAll(/^\{"table":"(\w+)","fields":\{(.*)\},"measurement_id":(-?\d+)\}/gm)].map(
    ([, table = '', fields = '', id = '']) => {
      const [kind, rest] = KIND_OF_TABLE[table] ?? ['', '']
      return { line: `{"kind":"${kind}",${fields},${rest}}`, id }
    },
  )
}

/** A vector of another open_mode, or of none, is no record of version 3. A compression size lacks its uncompressed bytes. */
function hasFieldsOfVersion3({ line }: Identified): boolean {
  const { kind, open_mode } = JSON.parse(line) as { readonly kind: string; readonly open_mode?: string }
  if (kind === 'random_access_time') return open_mode === 'cached' || open_mode === 'reopen'
  return kind !== 'compression_size'
}

/** Some vectors hash values that no record may hold: another storage, or a NUL. */
function isRecord({ line }: Identified): boolean {
  const { kind, storage } = JSON.parse(line) as { readonly kind: string; readonly storage?: string }
  return !line.includes('\\u0000') && (kind !== 'query_measurement' || storage === 'nvme' || storage === 's3')
}

function splitReference(text: string): Identified {
  const [, line = '', id = ''] = /^\{"record": ?(\{.*\}), ?"measurement_id": ?"(-?\d+)"\}$/.exec(text) ?? []
  return { line, id }
}
