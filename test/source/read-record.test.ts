import t from 'tap'
import { RecordBatch } from '../../src/source/record-batch.js'
import { addRecord, mayBeInexact, readRecord, type ExactRecord } from '../../src/source/read-record.js'
import { line, lineOf, sizeLine, VALID } from '../fixtures/records.js'
import { rowOf, type Row } from './fixtures/reading.js'

const read = (text: string): ExactRecord => readRecord(Buffer.from(text))

/** The row that the exact reader adds to a batch for a line. */
function added(text: string): Row {
  const result = read(text)
  if (!result.ok) throw new Error(result.problem.message)
  const batch = new RecordBatch()
  batch.reset(Buffer.alloc(0), 0)
  addRecord(batch, result.record, { line: 1, start: 0 })
  return rowOf(batch, 0)
}

const EXACT = [
  '0',
  '-0',
  '1',
  '0.5',
  '0.1',
  '-123.456',
  '1e22',
  '1e-22',
  '9007199254740992',
  '-9007199254740992',
  '9007199254740992e22',
  '0.9007199254740992e5',
  '1.5E+3',
  '1e+022',
  `0.${'0'.repeat(21)}1`,
  '900719925474099.2',
  '9007199254740993',
  '-9007199254740993',
  '18446744073709551615',
  '-18446744073709551615',
]
const INEXACT = [
  '18446744073709551616',
  '-18446744073709551616',
  '100000000000000000000',
  '9007199254740993.0',
  '9007199254740993e0',
  '1e23',
  '1e-23',
  '1E+23',
  '0e23',
  `0.${'0'.repeat(22)}1`,
  '0.12345678901234567',
  '0.10000000000000000',
  '9007199254740993e-5',
  '1.7976931348623157e308',
  '5e-324',
  '1e-400',
  '1'.repeat(300),
]

t.test(
  'a token is exact within u64 as an integer, else up to 2^53 of significand and powers of ten up to 22',
  async t => {
    for (const token of EXACT) t.equal(mayBeInexact(token), false, token)
    for (const token of INEXACT) t.equal(mayBeInexact(token), true, token)
  },
)

t.test('a token of millions of digits is judged at once', async t => {
  const start = process.cpuUsage()
  t.equal(mayBeInexact(`0.${'1'.repeat(10_000_000)}e10000000`), true)
  t.equal(mayBeInexact(`0.${'0'.repeat(10_000_000)}1e10000001`), false)
  t.equal(mayBeInexact('1'.repeat(10_000_000)), true)
  t.ok(process.cpuUsage(start).user < 1_000_000, 'BigInt alone would take seconds')
})

t.test('a threshold that a path A server may read otherwise is told, as it stands in the line', async t => {
  const inexact = (changes: string): string | undefined => {
    const result = read(line('vector_search_run', { threshold: changes }))
    if (!result.ok) throw new Error(result.problem.message)
    return result.inexact
  }
  for (const token of EXACT) t.equal(inexact(token), undefined, token)
  for (const token of INEXACT) t.equal(inexact(token), token, token)
})

t.test('of a threshold given twice the last one counts, and tokens under other dropped keys do not', async t => {
  const search = line('vector_search_run', { threshold: '0.5' }).slice(0, -1)
  const inexact = (rest: string): unknown => {
    const result = read(`${search}${rest}}`)
    return result.ok ? result.inexact : result.problem
  }
  t.equal(inexact(',"threshold":1e23'), '1e23')
  t.equal(inexact(',"threshold":1e23,"threshold":0.25'), undefined)
  t.equal(inexact(',"threshold":1e23,"threshold":7'), undefined)
  t.equal(inexact(',"threshold":1e23,"matches":1.5,"matches":1'), '1e23')
  t.equal(inexact(',"matches":1e23,"matches":1'), undefined)
})

t.test('other kinds have nothing that could be inexact', async t => {
  const result = read(sizeLine('d', { value_bytes: '9223372036854775807' }))
  t.equal(result.ok && result.inexact, undefined)
})

t.test('a line that is no JSON says so of the line', async t => {
  const problem = (text: string | Buffer): unknown => {
    const result = readRecord(Buffer.from(text))
    return result.ok ? undefined : result.problem
  }
  t.strictSame(problem('{"kind":'), {
    pointer: '',
    code: 'invalid_json',
    message: 'the line is not JSON: ends at column 9 where a value should be',
  })
  t.strictSame(problem(Buffer.from('22ff22', 'hex')), {
    pointer: '',
    code: 'invalid_utf8',
    message: 'the line is not valid UTF-8',
  })
  t.match(problem('\ufeff{}'), {
    pointer: '',
    code: 'byte_order_mark',
    message: 'the line starts with a byte-order mark, which JSON does not allow',
  })
  t.match(problem('{"a":1e400}'), {
    pointer: '',
    code: 'number_out_of_range',
    message: 'the line 1e400 is beyond the range of a double',
  })
  t.match(problem('["\\udc00"]'), { pointer: '', code: 'lone_surrogate' })
})

t.test('a line may nest two levels less than an envelope, in which it sits two levels deep', async t => {
  const nested = (levels: number): string =>
    `${sizeLine('d').slice(0, -1)},"format":${'['.repeat(levels)}${']'.repeat(levels)}}`
  const code = (text: string): string | undefined => {
    const result = read(text)
    return result.ok ? undefined : result.problem.code
  }
  t.equal(code(nested(124)), 'not_string', '125 levels are read')
  t.equal(code(nested(125)), 'too_deep', '126 are not')
})

t.test('a record is kept digit for digit', async t => {
  const runtimes = ['9223372036854775807', '-9223372036854775808', '0', '1000000000000000000']
  const row = added(
    line('random_access_time', { value_ns: '9223372036854775807', all_runtimes_ns: `[${runtimes.join(' , ')}]` }),
  )
  t.equal(row.fields['value_ns'], '9223372036854775807')
  t.equal(row.fields['all_runtimes_ns'], runtimes.join(','))
  t.equal(added(line('random_access_time', { all_runtimes_ns: '[]' })).fields['all_runtimes_ns'], '')
})

t.test('a threshold is kept as its double, and as text that reads back as the same', async t => {
  const tokens = [
    '-0',
    '-0.0',
    '0',
    '1',
    '0.1',
    '1e400000',
    '9007199254740993',
    '1e22',
    '5e-324',
    '123456789012345678901234567890',
    '1'.repeat(309),
  ]
  for (const token of tokens.filter(token => Number.isFinite(Number(token)))) {
    const { real, fields } = added(line('vector_search_run', { threshold: token }))
    t.ok(Object.is(real, Number(token)), token)
    t.ok(Object.is(Number(fields['threshold']), Number(token)), `${token} as ${fields['threshold']}`)
  }
})

t.test('text is kept with what its escapes mean', async t => {
  const { fields } = added(sizeLine('d', { dataset: '"\\u0067r\\u00f6\\u00dfe\\n\\"\\\\\\/ \\ud83d\\ude42"' }))
  t.equal(fields['dataset'], 'größe\n"\\/ 🙂')
  t.equal(added(sizeLine('')).fields['dataset'], '')
})

t.test('null and absent are both left out', async t => {
  for (const token of ['null', undefined])
    t.strictSame(Object.keys(added(line('compression_time', { dataset_variant: token, env_triple: token })).fields), [
      'commit_sha',
      'dataset',
      'format',
      'op',
      'value_ns',
      'all_runtimes_ns',
    ])
})

t.test('of a repeated key the last value wins, kind included', async t => {
  const twice = `{"kind":"query_measurement","dataset":"a","kind":"compression_size",${lineOf({ ...VALID.compression_size, dataset: '"b"' }).slice(1)}`
  t.match(added(twice), { kind: 'compression_size', fields: { dataset: 'b' } })
})
