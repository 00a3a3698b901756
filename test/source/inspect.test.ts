import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { wasmHash64 } from '../../src/contract/hash64.js'
import type { ByteReader } from '../../src/source/byte-reader.js'
import { versionsIn } from '../../src/contract/version-set.js'
import { createIdentifier } from '../../src/source/identify.js'
import { inspect, type InspectOptions, type Inspection } from '../../src/source/inspect.js'
import type { Rejection, Warning } from '../../src/source/rejection.js'
import type { Source } from '../../src/source/source.js'
import { BEFORE, line, SHA, sizeLine, KIND_NAMES, type Tokens } from '../fixtures/records.js'
import { readerOf } from './fixtures/reading.js'

const identify = createIdentifier(await wasmHash64())
const OTHER = 'f'.repeat(40)
const other = (dataset: string): string => sizeLine(dataset, { commit_sha: `"${OTHER}"` })

type Seen = Inspection & { readonly rejections: readonly Rejection[]; readonly warnings: readonly Warning[] }

async function seen(source: Source | readonly string[], options: Partial<InspectOptions> = {}): Promise<Seen> {
  const rejections: Rejection[] = []
  const warnings: Warning[] = []
  const inspection = await inspect('open' in source ? source : memorySource(source.join('\n')), {
    oneCommit: true,
    onRejection: rejection => rejections.push(rejection),
    onWarning: warning => warnings.push(warning),
    ...options,
  })
  return { ...inspection, rejections, warnings }
}

t.test('lines, records and rejections are counted, records by kind', async t => {
  const { ids: _, ...found } = await seen([
    ...KIND_NAMES.map(kind => line(kind)),
    '',
    sizeLine('a'),
    '{"kind":1}',
    sizeLine('b'),
  ])
  t.match(found, { source: 'results.jsonl', lines: 9, records: 7, rejected: 1, commitSha: SHA })
  t.strictSame(
    [...found.counts],
    [
      ['query_measurement', 1],
      ['compression_time', 1],
      ['compression_size', 3],
      ['random_access_time', 1],
      ['vector_search_run', 1],
    ],
  )
  t.strictSame(
    found.rejections.map(({ line, code }) => [line, code]),
    [[8, 'unknown_kind']],
  )
})

t.test('a kind without records is not counted at all', async t => {
  t.strictSame([...(await seen([sizeLine('a')])).counts.keys()], ['compression_size'])
})

t.test('a source without records is told, whether it is empty or blank', async t => {
  for (const lines of [[], ['', '  ', '']]) {
    const { records, commitSha, counts, warnings } = await seen(lines)
    t.strictSame({ records, commitSha, kinds: counts.size }, { records: 0, commitSha: undefined, kinds: 0 })
    t.strictSame(warnings, [
      { source: 'results.jsonl', line: 0, pointer: '', code: 'empty_input', message: 'holds no records' },
    ])
  }
  t.strictSame((await seen(['{}'])).warnings, [], 'a source whose lines are all rejected is not empty')
})

t.test('where one commit may come, the first record says which', async t => {
  const found = await seen([sizeLine('a'), other('b'), sizeLine('c'), other('d')])
  t.match(found, { records: 2, rejected: 2, commitSha: SHA })
  t.strictSame([...found.counts], [['compression_size', 2]])
  t.strictSame(found.rejections, [
    {
      source: 'results.jsonl',
      line: 2,
      byte: sizeLine('a').length + 1,
      pointer: '/commit_sha',
      code: 'commit_mismatch',
      message: `/commit_sha must be "${SHA}", got "${OTHER}"`,
    },
    {
      source: 'results.jsonl',
      line: 4,
      byte: 3 * sizeLine('a').length + 3,
      pointer: '/commit_sha',
      code: 'commit_mismatch',
      message: `/commit_sha must be "${SHA}", got "${OTHER}"`,
    },
  ])
  t.strictSame(found.warnings, [])
})

t.test('a commit id that is not full is rejected, and the first full one is that of the source', async t => {
  const shas = ['', 'abc', SHA.slice(0, 7), SHA.toUpperCase(), SHA, SHA, OTHER, `${SHA}0`]
  const found = await seen(shas.map((sha, at) => sizeLine(`d${at}`, { commit_sha: `"${sha}"` })))
  t.match(found, { records: 2, rejected: 6, commitSha: SHA })
  t.strictSame(
    found.rejections.map(({ line, code }) => [line, code]),
    [...[1, 2, 3, 4].map(line => [line, 'not_full_sha']), [7, 'commit_mismatch'], [8, 'commit_mismatch']],
  )
  t.equal(found.rejections[2]?.message, '/commit_sha must be 40 lowercase hex digits, got "0123456"')
})

t.test('where a commit was asked for, every record must name it, the first too', async t => {
  const found = await seen([sizeLine('a'), other('b'), sizeLine('c')], { commitSha: OTHER })
  t.match(found, { records: 1, rejected: 2, commitSha: OTHER })
  t.strictSame(
    found.rejections.map(({ line }) => line),
    [1, 3],
  )
  const right = await seen([other('a'), sizeLine('b')], { commitSha: OTHER })
  t.match(right, { records: 1, rejected: 1, commitSha: OTHER })
})

t.test('a commit is compared whole, byte for byte, by both readers', async t => {
  const commits = [`${SHA}0`, SHA.slice(1), SHA.replace(/.$/, 'e'), SHA.toUpperCase(), '', `${SHA.slice(0, -1)}\\u0037`]
  const lines = commits.map((sha, at) => sizeLine(`d${at}`, { commit_sha: `"${sha}"` }))
  const { rejections } = await seen([sizeLine('a'), ...lines])
  t.strictSame(
    rejections.map(({ line }) => line),
    [2, 3, 4, 5, 6],
    'the last one is the same, written with an escape',
  )
})

t.test('rejections of both sorts come in the order of their lines', async t => {
  const { rejections } = await seen([sizeLine('a'), 'x', other('b'), 'y', other('c')])
  t.strictSame(
    rejections.map(({ line, code }) => [line, code]),
    [
      [2, 'invalid_json'],
      [3, 'commit_mismatch'],
      [4, 'invalid_json'],
      [5, 'commit_mismatch'],
    ],
  )
})

t.test('where several commits may come, each must be a full id', async t => {
  const short = sizeLine('e', { commit_sha: '"abc"' })
  const found = await seen([sizeLine('a'), other('b'), short, other('c'), sizeLine('d')], { oneCommit: false })
  t.match(found, { records: 4, rejected: 1, commitSha: SHA, rejections: [{ line: 3, code: 'not_full_sha' }] })
  t.strictSame(found.warnings, [])
})

t.test('an empty source is an error where records are required, and the rest of a source is not', async t => {
  const refused = { code: 'bad_data', message: 'results.jsonl holds no records' }
  for (const lines of [[], ['', ' ']]) await t.rejects(seen(lines, { requireRecords: true }), refused)
  t.match(await seen([sizeLine('a')], { requireRecords: true }), { records: 1, rejected: 0, warnings: [] })
  t.match(await seen(['x'], { requireRecords: true }), { records: 0, rejected: 1 })
  t.match(await seen([''], { requireRecords: true, linesBefore: 3 }), { records: 0, warnings: [] })
})

t.test('an id that comes again is told with both lines, every time', async t => {
  const { warnings, ids } = await seen(
    [sizeLine('a'), sizeLine('b'), sizeLine('a', { value_bytes: '2' }), sizeLine('a')],
    { identify },
  )
  t.strictSame(warnings, [
    {
      source: 'results.jsonl',
      line: 3,
      pointer: '',
      code: 'duplicate_id',
      message: 'the same measurement as line 1; the last one wins',
    },
    {
      source: 'results.jsonl',
      line: 4,
      pointer: '',
      code: 'duplicate_id',
      message: 'the same measurement as line 3; the last one wins',
    },
  ])
  t.equal(ids.size, 2)
})

t.test('ids are noted only where they are asked for', async t => {
  const { warnings, ids } = await seen([sizeLine('a'), sizeLine('a')])
  t.strictSame([warnings, ids.size], [[], 0])
})

t.test('a source is read again in full: nothing is kept from the pass before', async t => {
  const source = memorySource([sizeLine('a'), other('b')].join('\n'))
  const [first, second] = [await seen(source, { identify }), await seen(source, { identify })]
  t.strictSame({ ...first, ids: first.ids.size }, { ...second, ids: second.ids.size })
})

const access = (changes: Tokens = {}): string => line('random_access_time', changes)
const oldAccess = access(BEFORE[2])
const oldSize = sizeLine('old', BEFORE[1])
const versions = ({ fits }: Inspection): readonly number[] => versionsIn(fits)

t.test('a file has every version that fits all of its records', async t => {
  const query = line('query_measurement')
  t.strictSame(versions(await seen([])), [1, 2, 3], 'an empty file')
  t.strictSame(versions(await seen([query])), [1, 2, 3])
  t.strictSame(versions(await seen([query, oldAccess])), [1, 2])
  t.strictSame(versions(await seen([query, oldAccess, sizeLine('a')])), [2])
  t.strictSame(versions(await seen([oldSize, oldAccess, query])), [1])
  t.strictSame(versions(await seen([sizeLine('a'), query])), [2, 3])
  t.strictSame(versions(await seen([access(), sizeLine('a'), query])), [3])
  t.strictSame(versions(await seen([oldAccess, `${access()},`])), [1, 2], 'a rejected line has no part in it')
})

t.test('in a mixed file, each line of another version than most lines is rejected, and says so', async t => {
  const lines = [access(), sizeLine('a'), line('query_measurement'), 'no JSON', access(), '', oldAccess, oldSize]
  for (const end of ['\n', '\r\n']) {
    const found = await seen(memorySource(lines.join(end)))
    t.match(found, { lines: 8, records: 4, rejected: 3 })
    t.strictSame(versions(found), [3])
    t.strictSame(
      [...found.counts],
      [
        ['query_measurement', 1],
        ['compression_size', 1],
        ['random_access_time', 2],
      ],
    )
    const others = 'other lines of this file are version 3 (the first is line 1)'
    const byte = (count: number): number => lines.slice(0, count).join(end).length + end.length
    t.match(found.rejections, [
      { line: 4, code: 'invalid_json' },
      {
        source: 'results.jsonl',
        line: 7,
        byte: byte(6),
        pointer: '/open_mode',
        code: 'missing_field',
        message: `line 7 has no open_mode; ${others}`,
      },
      {
        source: 'results.jsonl',
        line: 8,
        byte: byte(7),
        pointer: '/uncompressed_bytes',
        code: 'missing_field',
        message: `line 8 has no uncompressed_bytes; ${others}`,
      },
    ])
  }
})

t.test('in a mixed file of mostly older lines, the newer ones are rejected', async t => {
  const found = await seen([line('query_measurement'), oldAccess, access(), oldSize, oldSize, sizeLine('new')])
  t.strictSame(versions(found), [1])
  t.strictSame(
    found.rejections.map(({ line, code, message }) => [line, code, message]),
    [
      [
        3,
        'unknown_field',
        'line 3 has open_mode, which version 1 does not know; other lines of this file are version 1 (the first is line 2)',
      ],
      [
        6,
        'unknown_field',
        'line 6 has uncompressed_bytes, which version 1 does not know; other lines of this file are version 1 (the first is line 2)',
      ],
    ],
  )
})

t.test('of two versions with equally many lines, the newer one is that of the file', async t => {
  const found = await seen([oldAccess, access(), sizeLine('a')])
  t.strictSame(versions(found), [3])
  t.strictSame(
    found.rejections.map(({ line, message }) => [line, message]),
    [[1, 'line 1 has no open_mode; other lines of this file are version 3 (the first is line 2)']],
  )
})

t.test('a version that is asked for is that of the file, and no second pass says anything more', async t => {
  const found = await seen([access(), oldAccess, access()], { contractVersion: 2 })
  t.equal(found.contractVersion, 2)
  t.strictSame(versions(found), [1, 2], 'a target of version 1 can still be given the accepted record')
  t.match(found, { records: 1, rejected: 2 })
  t.strictSame(
    found.rejections.map(({ line, code }) => [line, code]),
    [
      [1, 'unknown_field'],
      [3, 'unknown_field'],
    ],
  )
  const query = await seen([line('query_measurement')], { contractVersion: 3 })
  t.equal(query.contractVersion, 3)
  t.strictSame(versions(query), [1, 2, 3], 'a target of any version can still be given the file')
})

t.test('lines of another commit are rejected for that alone, and are not counted for a version', async t => {
  const others = [1, 2, 3].map(at => sizeLine(`d${at}`, { ...BEFORE[1], commit_sha: `"${OTHER}"` }))
  const found = await seen([sizeLine('a'), ...others, access()])
  t.strictSame(versions(found), [3])
  t.match(found, { records: 2, rejected: 3 })
  t.ok(found.rejections.every(({ code }) => code === 'commit_mismatch'))
  const mixed = await seen([sizeLine('a'), ...others, access(), oldSize])
  t.match(mixed, { records: 2, rejected: 4 })
  t.match(mixed.rejections.at(-1), { line: 6, code: 'missing_field' })
})

t.test('where several commits may come, lines of every commit have the version of the file', async t => {
  const old = sizeLine('b', { ...BEFORE[1], commit_sha: `"${OTHER}"` })
  const found = await seen([sizeLine('a'), old, access()], { oneCommit: false })
  t.match(found, { records: 2, rejected: 1 })
  t.match(found.rejections, [{ line: 2, pointer: '/uncompressed_bytes' }])
})

t.test('the second pass over a mixed file ends early too when that is enough', async t => {
  const lines = [access(), access(), ...Array.from({ length: 100_000 }, () => line('query_measurement')), oldAccess]
  let rejected = 0
  const text = [...lines, ...lines.slice(0, 100_002), oldAccess].join('\n')
  let opened = 0
  const memory = memorySource(text)
  const source: Source = { ...memory, open: () => (opened++, memory.open()) }
  const found = await seen(source, { onRejection: () => rejected++, enough: () => rejected >= 1 })
  t.equal(opened, 2)
  t.equal(rejected, 1)
  t.equal(found.rejected, 1)
})

t.test('a file of one version is read once', async t => {
  let opened = 0
  const memory = memorySource([access(), sizeLine('a'), 'bad'].join('\n'))
  await seen({ ...memory, open: () => (opened++, memory.open()) })
  t.equal(opened, 1)
})

t.test('a pass ends early when that is enough, and the source is closed', async t => {
  const { source, read, closed } = endless(`${sizeLine('a')}\nbad\n`)
  let rejected = 0
  const found = await seen(source, { onRejection: () => rejected++, enough: () => rejected >= 10 })
  t.ok(found.rejected >= 10)
  t.equal(found.rejected, rejected)
  t.ok(read() < 5_000_000, `${read()} bytes were read`)
  t.equal(closed(), 1)
})

t.test('a signal ends a pass, and the source is closed', async t => {
  const { source, closed } = endless(`${sizeLine('a')}\n`)
  const stop = new AbortController()
  const reason = new Error('interrupted')
  let warned = 0
  const found = seen(source, {
    identify,
    signal: stop.signal,
    onWarning: () => ++warned === 5_000 && stop.abort(reason),
  })
  await t.rejects(found, reason)
  t.equal(closed(), 1)
})

t.test('100 MB on one line are one rejection in little memory, and the lines behind it are read', async t => {
  const megabyte = Buffer.alloc(1_000_000, 'x')
  const chunks = function* (): Generator<Buffer> {
    yield Buffer.from(`${sizeLine('before')}\n`)
    for (let sent = 0; sent < 100; sent++) yield megabyte
    yield Buffer.from(`\n${sizeLine('after')}\n${sizeLine('last')}`)
  }
  const { source, grown } = measured(chunks())
  const found = await seen(source)
  t.match(found, { lines: 4, records: 3, rejected: 1 })
  t.strictSame(
    found.rejections.map(({ line, code }) => [line, code]),
    [[2, 'line_too_long']],
  )
  t.ok(grown() < 40, `${grown().toFixed()} MB more, for a line of at most 16 MiB and its copy`)
})

t.test('100 MB of records take no more memory than a few blocks', async t => {
  const block = Buffer.from(`${sizeLine('a')}\n${line('vector_search_run', { threshold: '1e-3' })}\n`.repeat(3_000))
  const chunks = function* (): Generator<Buffer> {
    for (let sent = 0; sent < 100_000_000; sent += block.length) yield block
  }
  const { source, grown } = measured(chunks())
  const { records, rejected } = await seen(source)
  t.equal(rejected, 0)
  t.ok(records > 400_000, `${records} records`)
  t.ok(grown() < 10, `${grown().toFixed()} MB more`)
})

/** A source that repeats a text endlessly. */
function endless(text: string): { source: Source; read: () => number; closed: () => number } {
  const block = Buffer.from(text.repeat(1_000))
  let read = 0
  let closed = 0
  const reader: ByteReader = {
    async read(into, offset) {
      await setImmediate()
      const count = block.copy(into, offset, read % block.length)
      read += count
      return count
    },
    async close() {
      closed++
    },
  }
  const source = { ...memorySource(''), open: async () => reader }
  return { source, read: () => read, closed: () => closed }
}

/** A source that measures the growth of memory while it is read, without garbage that has not been collected yet. */
function measured(chunks: Iterator<Buffer>): { source: Source; grown: () => number } {
  let rest: Buffer = Buffer.alloc(0)
  let start = 0
  let peak = 0
  let [read, lookedAt] = [0, -Infinity]
  const reader: ByteReader = {
    async read(into, offset) {
      if (read - lookedAt >= 4_000_000) {
        lookedAt = read
        const used = memoryInUse()
        start ||= used
        peak = Math.max(peak, used)
      }
      if (rest.length === 0) rest = (chunks.next().value as Buffer | undefined) ?? rest
      const count = rest.copy(into, offset)
      rest = rest.subarray(count)
      read += count
      return count
    },
    close: async () => undefined,
  }
  const source = { ...memorySource(''), open: async () => reader }
  return { source, grown: () => (peak - start) / 1e6 }
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function memoryInUse(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** A source that can be opened any number of times. */
function memorySource(bytes: Buffer | string, name = 'results.jsonl'): Source {
  return {
    name,
    open: async () => readerOf([Buffer.from(bytes)]),
    assertUnchanged: async () => undefined,
    stat: async () => '',
    release: async () => undefined,
  }
}
