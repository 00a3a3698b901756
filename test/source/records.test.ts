import t from 'tap'
import { Random } from '../fixtures/random.js'
import { BEFORE, line, SHA, sizeLine, plainLine } from '../fixtures/records.js'
import { readAll } from './fixtures/reading.js'

const at = (rejections: readonly { line: number; byte: number; code: string }[]): unknown =>
  rejections.map(({ line, byte, code }) => [line, byte, code])

t.test('records come with their line and its first byte, blank lines are counted and left out', async t => {
  const text = `\n${sizeLine('a')}\n  \t \n\r\n${sizeLine('b')}\r\n\n${sizeLine('c')}`
  const { rows, rejections, lines } = await readAll(text)
  const byte = (dataset: string): number => text.indexOf(sizeLine(dataset))
  t.strictSame(
    rows.map(({ line, byte, fields }) => [line, byte, fields['dataset']]),
    [
      [2, byte('a'), 'a'],
      [5, byte('b'), 'b'],
      [7, byte('c'), 'c'],
    ],
  )
  t.strictSame(rejections, [])
  t.equal(lines, 7)
})

t.test('every other line is a rejection: source, line, byte, pointer, code, message', async t => {
  const bad = sizeLine('ü', { value_bytes: '1.5' })
  const { rows, rejections } = await readAll(`${sizeLine('ü')}\n${bad}\nnot json\n${sizeLine('b')}\n`, {
    name: 'r.jsonl',
  })
  const second = Buffer.byteLength(sizeLine('ü')) + 1
  t.strictSame(rejections, [
    {
      source: 'r.jsonl',
      line: 2,
      byte: second,
      pointer: '/value_bytes',
      code: 'not_integer',
      message: '/value_bytes must be an integer, got 1.5 (written with a fraction, an exponent or as -0)',
    },
    {
      source: 'r.jsonl',
      line: 3,
      byte: second + Buffer.byteLength(bad) + 1,
      pointer: '',
      code: 'invalid_json',
      message: 'the line is not JSON: "n" at column 1 where a value should be',
    },
  ])
  t.strictSame(
    rows.map(({ line }) => line),
    [1, 4],
  )
})

t.test('lines of both readers stand in the order of the source', async t => {
  const lines = Array.from({ length: 3_000 }, (_, index) =>
    index % 3 === 0 ? sizeLine(`d${index}`, { value_bytes: '9223372036854775807' }) : sizeLine(`d${index}`),
  )
  const { rows } = await readAll(lines.join('\n'), { limits: { blockBytes: 10_000, maxLineBytes: 20_000 } })
  t.strictSame(
    rows.map(({ fields }) => fields['dataset']),
    lines.map((_, index) => `d${index}`),
  )
  t.strictSame(
    rows.map(({ line }) => line),
    lines.map((_, index) => index + 1),
  )
  t.strictSame(
    rows.map(({ fields }) => fields['value_bytes']),
    lines.map((_, index) => (index % 3 === 0 ? '9223372036854775807' : '4096')),
  )
})

t.test('blocks of any size give the same records, at the same places', async t => {
  const random = new Random()
  const text = Array.from({ length: 300 }, () =>
    random.pick([plainLine(random), '', '{"kind":1}', sizeLine('\n')]),
  ).join('\n')
  const whole = await readAll(text)
  for (const blockBytes of [1, 100, 1_000, 10_000])
    t.strictSame(await readAll(text, { limits: { blockBytes, maxLineBytes: 10_000 } }), whole, `${blockBytes} bytes`)
  t.ok(whole.rows.length > 50 && whole.rejections.length > 50)
})

t.test('a line that is no UTF-8 leaves the lines around it valid', async t => {
  const [good, bad, better] = ['größe', 'Latin-1 gr?sse', 'データ'].map(dataset =>
    Buffer.from(`${sizeLine(dataset)}\n`),
  )
  bad![bad!.indexOf('?')] = 0xf6
  const { rows, rejections } = await readAll(Buffer.concat([good!, bad!, better!]))
  t.strictSame(
    rows.map(({ line, fields }) => [line, fields['dataset']]),
    [
      [1, 'größe'],
      [3, 'データ'],
    ],
  )
  t.strictSame(at(rejections), [[2, good!.length, 'invalid_utf8']])
})

t.test('a byte-order mark costs the first line, and only that', async t => {
  const { rows, rejections } = await readAll(`\ufeff${sizeLine('a')}\n${sizeLine('b')}\n`)
  t.strictSame(
    rows.map(({ line }) => line),
    [2],
  )
  t.strictSame(at(rejections), [[1, 0, 'byte_order_mark']])
})

t.test('bytes of zero, as a crash leaves them behind, are a rejection', async t => {
  const { rows, rejections } = await readAll(
    Buffer.concat([Buffer.from(`${sizeLine('a')}\n`), Buffer.alloc(5_000), Buffer.from(`\n${sizeLine('b')}`)]),
  )
  t.strictSame(
    rows.map(({ line }) => line),
    [1, 3],
  )
  t.strictSame(at(rejections), [[2, sizeLine('a').length + 1, 'invalid_json']])
})

t.test('half a line at the end is a rejection, wherever it was cut', async t => {
  const whole = sizeLine('a')
  const wrong: number[] = []
  for (let length = 1; length < whole.length; length++) {
    const { rows, rejections } = await readAll(`${whole}\n${whole.slice(0, length)}`)
    if (rows.length !== 1 || rejections[0]?.code !== 'invalid_json' || rejections[0].line !== 2) wrong.push(length)
  }
  t.strictSame(wrong, [])
  t.equal((await readAll(`${whole}\n${whole}`)).rows.length, 2)
})

t.test('a line that is too long is one rejection, and lines go on behind it', async t => {
  const limits = { blockBytes: 300, maxLineBytes: 400 }
  const long = sizeLine('x'.repeat(1_000))
  const { rows, rejections, lines } = await readAll(`${sizeLine('a')}\n${long}\n\n${sizeLine('b')}\n${sizeLine('c')}`, {
    limits,
  })
  const second = sizeLine('a').length + 1
  t.strictSame(
    rows.map(({ line, byte }) => [line, byte]),
    [
      [1, 0],
      [4, second + long.length + 2],
      [5, second + long.length + 3 + sizeLine('b').length],
    ],
  )
  t.strictSame(rejections, [
    {
      source: 'results.jsonl',
      line: 2,
      byte: second,
      pointer: '',
      code: 'line_too_long',
      message: 'the line is longer than 16 MiB',
    },
  ])
  t.equal(lines, 5)
})

t.test('a threshold that a path A server may read otherwise is a warning, and the record is taken', async t => {
  const { rows, rejections, warnings } = await readAll(
    `${line('vector_search_run')}\n${line('vector_search_run', { threshold: '9007199254740993.5' })}\n`,
  )
  t.equal(rows.length, 2)
  t.strictSame(rejections, [])
  t.strictSame(warnings, [
    {
      source: 'results.jsonl',
      line: 2,
      pointer: '/threshold',
      code: 'inexact_threshold',
      message:
        '/threshold 9007199254740993.5 may be read one unit off by a path A server: more than 2^53 of significand or a power of ten beyond ±22',
    },
  ])
})

/** Adds a tab, so that only the exact reader accepts the line. */
const exactly = (text: string): string => text.replace(':', ':\t')

t.test('a record may have any version, and a version that is asked for takes no other', async t => {
  const size = line('compression_size', BEFORE[1])
  const access = line('random_access_time')
  const old = line('random_access_time', BEFORE[2])
  const lines = [line('query_measurement'), size, line('compression_size'), old, access]
  const accepted = async (version?: number, change = (text: string): string => text): Promise<readonly number[]> => {
    const { rows } = await readAll(lines.map(change).join('\n'), version === undefined ? {} : { version })
    return rows.map(({ line }) => line)
  }
  for (const change of [(text: string): string => text, exactly]) {
    t.strictSame(await accepted(undefined, change), [1, 2, 3, 4, 5])
    t.strictSame(await accepted(1, change), [1, 2, 4])
    t.strictSame(await accepted(2, change), [1, 3, 4])
    t.strictSame(await accepted(3, change), [1, 3, 5])
  }
})

t.test('a version that is asked for says which field it misses or does not know', async t => {
  const old = `${line('compression_size', BEFORE[1])}\n${line('random_access_time', BEFORE[1])}`
  const recent = `${line('compression_size')}\n${line('random_access_time')}`
  for (const change of [(text: string): string => text, exactly]) {
    t.match((await readAll(change(recent), { version: 1 })).rejections, [
      {
        line: 1,
        pointer: '/uncompressed_bytes',
        code: 'unknown_field',
        message: '"/uncompressed_bytes" is not a field of this kind before contract version 2',
      },
      {
        line: 2,
        pointer: '/open_mode',
        code: 'unknown_field',
        message: '"/open_mode" is not a field of this kind before contract version 3',
      },
    ])
    t.match((await readAll(change(old), { version: 3 })).rejections, [
      { line: 1, code: 'missing_field', message: '/uncompressed_bytes is missing (required since contract version 2)' },
      { line: 2, code: 'missing_field', message: '/open_mode is missing (required since contract version 3)' },
    ])
  }
})

t.test('null is no value for an added field: it is unknown before its version and of the wrong type after', async t => {
  const text = [
    line('compression_size', { uncompressed_bytes: 'null' }),
    line('random_access_time', { open_mode: 'null' }),
  ].join('\n')
  const codes = async (version?: number): Promise<readonly string[]> =>
    (await readAll(text, version === undefined ? {} : { version })).rejections.map(({ code }) => code)
  t.strictSame(await codes(), ['not_integer', 'not_string'])
  t.strictSame(await codes(3), ['not_integer', 'not_string'])
  t.strictSame(await codes(2), ['not_integer', 'unknown_field'])
  t.strictSame(await codes(1), ['unknown_field', 'unknown_field'])
})

t.test('a line that fits no version is judged by the version of the lines before it, or by its own fields', async t => {
  const typo = { formta: '"x"' }
  const message = async (...lines: readonly string[]): Promise<string | undefined> =>
    (await readAll(lines.join('\n'))).rejections[0]?.message
  const unknown = '"/formta" is not a field of this kind'
  const access = line('random_access_time')
  const old = line('random_access_time', BEFORE[2])
  t.equal(await message(line('random_access_time', typo)), unknown)
  t.equal(await message(line('random_access_time', { ...BEFORE[2], ...typo })), unknown, 'by its own fields')
  t.equal(await message(old, line('random_access_time', { ...BEFORE[2], ...typo })), unknown, 'as the line before')
  t.equal(
    await message(access, line('random_access_time', { ...BEFORE[2], ...typo })),
    '/open_mode is missing (required since contract version 3)',
    'as the line before, of another version',
  )
  t.equal(
    await message(old, line('random_access_time', typo)),
    '"/open_mode" is not a field of this kind before contract version 3',
  )
})

t.test('no bytes are no lines and no records', async t => {
  t.strictSame(await readAll(''), { rows: [], rejections: [], warnings: [], lines: 0 })
  t.strictSame(await readAll('\n \n'), { rows: [], rejections: [], warnings: [], lines: 2 })
})

t.test('all strings of a record are read, its commit too', async t => {
  const { rows } = await readAll(line('compression_time'))
  t.strictSame(rows[0]?.fields, {
    commit_sha: SHA,
    dataset: 'taxi',
    dataset_variant: 'full',
    format: 'vortex',
    op: 'encode',
    value_ns: '1200',
    all_runtimes_ns: '1100,1200,1300',
    env_triple: 'x86_64-unknown-linux-gnu',
  })
})
