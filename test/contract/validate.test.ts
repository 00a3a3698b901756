import t from 'tap'
import type { ExactValue } from '../../src/contract/exact-value.js'
import type { Problem, ProblemCode } from '../../src/contract/problem.js'
import {
  brokenRule,
  checkEnvelopeShape,
  checkShape,
  commitMismatchProblem,
  commitProblem,
} from '../../src/contract/validate.js'
import { readBody } from '../../src/source/exact-json.js'
import { KIND_NAMES, SHA, VALID, line, lineOf } from '../fixtures/records.js'

/** A line, the pointer to the error in it, and the expected message. */
type Case = readonly [text: string, pointer: string, message: string]

const KINDS = 'query_measurement, compression_time, compression_size, random_access_time, vector_search_run'
const REAL = 'written with a fraction, an exponent or as -0'
const OTHER_SHA = 'f'.repeat(40)

const CASES: Readonly<Record<Exclude<ProblemCode, 'not_full_sha'>, readonly Case[]>> = {
  not_object: [
    ['[]', '', 'must be an object, got an array'],
    ['null', '', 'must be an object, got null'],
    ['"query_measurement"', '', 'must be an object, got "query_measurement"'],
    ['1', '', 'must be an object, got 1'],
  ],
  unknown_kind: [
    [lineOf({ kind: '"constructor"' }), '/kind', `/kind must be one of ${KINDS}, got "constructor"`],
    [lineOf({ kind: '"__proto__"' }), '/kind', `/kind must be one of ${KINDS}, got "__proto__"`],
    [lineOf({ kind: '"envelope"' }), '/kind', `/kind must be one of ${KINDS}, got "envelope"`],
    [lineOf({ kind: '""' }), '/kind', `/kind must be one of ${KINDS}, got ""`],
    [lineOf({ kind: '2' }), '/kind', `/kind must be one of ${KINDS}, got 2`],
    [lineOf({ kind: 'null' }), '/kind', `/kind must be one of ${KINDS}, got null`],
    [
      line('compression_size', { kind: '["compression_size"]' }),
      '/kind',
      `/kind must be one of ${KINDS}, got an array`,
    ],
    [
      line('compression_size', { kind: '"Compression_size"' }),
      '/kind',
      `/kind must be one of ${KINDS}, got "Compression_size"`,
    ],
  ],
  missing_field: [
    ['{}', '/kind', '/kind is missing'],
    ['{"__proto__":{"kind":"compression_size"}}', '/kind', '/kind is missing'],
    [line('compression_size', { dataset: undefined }), '/dataset', '/dataset is missing'],
    [line('vector_search_run', { threshold: undefined }), '/threshold', '/threshold is missing'],
    [line('query_measurement', { all_runtimes_ns: undefined }), '/all_runtimes_ns', '/all_runtimes_ns is missing'],
  ],
  unknown_field: [
    [line('compression_size', { value_ns: '1' }), '/value_ns', '"/value_ns" is not a field of this kind'],
    [line('compression_size', { extra: 'null' }), '/extra', '"/extra" is not a field of this kind'],
    [line('compression_size', { ['__proto__']: 'null' }), '/__proto__', '"/__proto__" is not a field of this kind'],
    [line('compression_size', { toString: '1' }), '/toString', '"/toString" is not a field of this kind'],
    [line('compression_size', { 'a/b~c': '1' }), '/a~1b~0c', '"/a~1b~0c" is not a field of this kind'],
    [line('compression_size', { '': '1' }), '/', '"/" is not a field of this kind'],
    [line('compression_size', { '\u001b[2J': '1' }), '/\u001b[2J', '"/\\u001b[2J" is not a field of this kind'],
  ],
  not_string: [
    [line('compression_size', { dataset: '7' }), '/dataset', '/dataset must be a string, got 7'],
    [line('compression_size', { dataset: 'null' }), '/dataset', '/dataset must be a string, got null'],
    [line('compression_size', { dataset: 'true' }), '/dataset', '/dataset must be a string, got true'],
    [
      line('compression_size', { dataset_variant: '[]' }),
      '/dataset_variant',
      '/dataset_variant must be a string or null, got an array',
    ],
    [
      line('compression_time', { env_triple: '{}' }),
      '/env_triple',
      '/env_triple must be a string or null, got an object',
    ],
  ],
  not_integer: [
    [line('compression_size', { value_bytes: '"1"' }), '/value_bytes', '/value_bytes must be an integer, got "1"'],
    [
      line('compression_size', { value_bytes: '1.0' }),
      '/value_bytes',
      `/value_bytes must be an integer, got 1 (${REAL})`,
    ],
    [
      line('compression_size', { value_bytes: '1e3' }),
      '/value_bytes',
      `/value_bytes must be an integer, got 1000 (${REAL})`,
    ],
    [
      line('compression_size', { value_bytes: '-0' }),
      '/value_bytes',
      `/value_bytes must be an integer, got -0 (${REAL})`,
    ],
    [line('compression_size', { value_bytes: 'true' }), '/value_bytes', '/value_bytes must be an integer, got true'],
    [line('query_measurement', { query_idx: 'null' }), '/query_idx', '/query_idx must be an integer, got null'],
    [
      line('query_measurement', { peak_physical: '1.5' }),
      '/peak_physical',
      `/peak_physical must be an integer, got 1.5 (${REAL})`,
    ],
    [
      line('compression_time', { all_runtimes_ns: '[1,2.0]' }),
      '/all_runtimes_ns/1',
      `/all_runtimes_ns/1 must be an integer, got 2 (${REAL})`,
    ],
    [
      line('compression_time', { all_runtimes_ns: '[[1]]' }),
      '/all_runtimes_ns/0',
      '/all_runtimes_ns/0 must be an integer, got an array',
    ],
  ],
  not_number: [
    [line('vector_search_run', { threshold: '"0.5"' }), '/threshold', '/threshold must be a number, got "0.5"'],
    [line('vector_search_run', { threshold: 'null' }), '/threshold', '/threshold must be a number, got null'],
    [line('vector_search_run', { threshold: 'true' }), '/threshold', '/threshold must be a number, got true'],
  ],
  not_array: [
    [
      line('compression_time', { all_runtimes_ns: 'null' }),
      '/all_runtimes_ns',
      '/all_runtimes_ns must be an array, got null',
    ],
    [
      line('compression_time', { all_runtimes_ns: '{"0":1}' }),
      '/all_runtimes_ns',
      '/all_runtimes_ns must be an array, got an object',
    ],
  ],
  out_of_range: [
    [
      line('compression_size', { value_bytes: '9223372036854775808' }),
      '/value_bytes',
      '/value_bytes must fit in 64 bits, got 9223372036854775808',
    ],
    [
      line('compression_size', { value_bytes: '-9223372036854775809' }),
      '/value_bytes',
      '/value_bytes must fit in 64 bits, got -9223372036854775809',
    ],
    [
      line('query_measurement', { query_idx: '2147483648' }),
      '/query_idx',
      '/query_idx must fit in 32 bits, got 2147483648',
    ],
    [
      line('vector_search_run', { iterations: '-2147483649' }),
      '/iterations',
      '/iterations must fit in 32 bits, got -2147483649',
    ],
    [
      line('compression_time', { all_runtimes_ns: '[0,9223372036854775808]' }),
      '/all_runtimes_ns/1',
      '/all_runtimes_ns/1 must fit in 64 bits, got 9223372036854775808',
    ],
  ],
  commit_mismatch: [
    [
      line('compression_size', { commit_sha: `"${OTHER_SHA}"` }),
      '/commit_sha',
      `/commit_sha must be "${SHA}", got "${OTHER_SHA}"`,
    ],
    [line('compression_size', { commit_sha: '""' }), '/commit_sha', `/commit_sha must be "${SHA}", got ""`],
  ],
  bad_value: [
    [line('query_measurement', { storage: '"gcs"' }), '/storage', '/storage must be one of nvme, s3, got "gcs"'],
    [line('query_measurement', { storage: '"NVME"' }), '/storage', '/storage must be one of nvme, s3, got "NVME"'],
    [line('query_measurement', { storage: '""' }), '/storage', '/storage must be one of nvme, s3, got ""'],
  ],
  partial_fields: [
    [
      line('query_measurement', { peak_physical: undefined, physical_delta: 'null' }),
      '/peak_physical',
      'peak_physical, peak_virtual, physical_delta, virtual_delta must be all present or all absent; missing: peak_physical, physical_delta',
    ],
  ],
  nul_in_string: [
    [
      line('random_access_time', { format: '"a\\u0000"' }),
      '/format',
      '/format of random_access_time holds U+0000, which Postgres text cannot hold',
    ],
    [
      line('compression_time', { env_triple: '"\\u0000"' }),
      '/env_triple',
      '/env_triple of compression_time holds U+0000, which Postgres text cannot hold',
    ],
  ],
}

for (const [code, cases] of Object.entries(CASES))
  t.test(`${code} is found, with where and what`, async t => {
    for (const [text, pointer, message] of cases)
      t.strictSame(problemOf(text), { pointer, code, message }, text.slice(0, 200))
  })

t.test('a valid record of each kind has no problem, and neither has one without its optional fields', async t => {
  for (const kind of KIND_NAMES) {
    const optional = [
      'dataset_variant',
      'scale_factor',
      'env_triple',
      'peak_physical',
      'peak_virtual',
      'physical_delta',
      'virtual_delta',
    ]
    const present = optional.filter(name => name in VALID[kind])
    t.equal(problemOf(line(kind)), undefined, kind)
    for (const token of [undefined, 'null'])
      t.equal(
        problemOf(line(kind, Object.fromEntries(present.map(name => [name, token])))),
        undefined,
        `${kind}: ${token}`,
      )
  }
})

t.test('the ends of every range are taken', async t => {
  for (const value_bytes of ['9223372036854775807', '-9223372036854775808', '0'])
    t.equal(problemOf(line('compression_size', { value_bytes })), undefined, value_bytes)
  for (const query_idx of ['2147483647', '-2147483648', '0'])
    t.equal(problemOf(line('query_measurement', { query_idx })), undefined, query_idx)
  for (const threshold of ['-0', '-0.0', '0', '1e308', '9007199254740993', '1E-400'])
    t.equal(problemOf(line('vector_search_run', { threshold })), undefined, threshold)
  t.equal(problemOf(line('compression_time', { all_runtimes_ns: '[]' })), undefined)
})

t.test('in the memory four, zero counts as present', async t => {
  const zeros = { peak_physical: '0', peak_virtual: '0', physical_delta: '0', virtual_delta: '0' }
  t.equal(problemOf(line('query_measurement', zeros)), undefined)
})

t.test('rules are asked in the order of the contract: commit, storage, memory, U+0000', async t => {
  const broken = [
    ['commit_mismatch', { commit_sha: '"other"' }],
    ['bad_value', { storage: '"gcs"' }],
    ['partial_fields', { peak_physical: 'null' }],
    ['nul_in_string', { engine: '"\\u0000"' }],
  ] as const
  for (const [at, [code]] of broken.entries()) {
    const changes = Object.assign({}, ...broken.slice(at).map(([, change]) => change)) as object
    t.equal(problemOf(line('query_measurement', { ...changes }))?.code, code, `${broken.length - at} broken: ${code}`)
  }
})

t.test('a shape is judged before any rule', async t => {
  t.equal(problemOf(line('query_measurement', { commit_sha: '"other"', value_ns: '1.0' }))?.code, 'not_integer')
})

t.test('without a commit to compare with, any commit will do', async t => {
  const shape = checkShape(parsed(line('compression_size', { commit_sha: '"other"' })))
  t.equal(shape.ok && brokenRule(shape.value), undefined)
})

t.test('a message never grows with the value, and holds no control character', async t => {
  const long = JSON.stringify(`\u001b[31m${'x'.repeat(100_000)}`)
  const texts = [
    line('query_measurement', { storage: long }),
    line('compression_size', { value_bytes: long }),
    line('compression_size', { value_bytes: '9'.repeat(300) }),
    line('compression_size', { kind: long }),
    line('compression_size', { commit_sha: long }),
    `{"kind":"compression_size",${long}:1,${line('compression_size').slice(1)}`,
  ]
  for (const text of texts) {
    const message = problemOf(text)?.message ?? ''
    t.ok(message.length > 20 && message.length < 300, `${message.length} characters`)
    t.notMatch(message, /[^ -~…]/)
  }
})

t.test('a record of a file names a full commit id, and the one that is expected', t => {
  t.equal(commitProblem(SHA, undefined), undefined)
  t.equal(commitProblem(SHA, SHA), undefined)
  t.match(commitProblem(OTHER_SHA, SHA), { code: 'commit_mismatch' })
  for (const sha of ['', 'abc', SHA.toUpperCase(), `${SHA}0`, ` ${SHA}`, `${SHA}\n`])
    t.match(commitProblem(sha, undefined), { pointer: '/commit_sha', code: 'not_full_sha' })
  t.end()
})

t.test('a misspelt field is named beside the missing one, and the other way round', t => {
  const misspelt = line('query_measurement', { value_ns: undefined, valeu_ns: '1' })
  t.match(problemOf(misspelt)?.message, /^\/value_ns is missing; is "\/valeu_ns" meant to be it\?$/)
  const optional = line('query_measurement', { env_triple: undefined, env_tripel: '"x"' })
  t.equal(problemOf(optional)?.message, '"/env_tripel" is not a field of this kind; is /env_triple meant?')
  t.end()
})

t.test('a commit that does not match is quoted, whatever it holds', async t => {
  const { message } = commitMismatchProblem('a\nb', SHA)
  t.equal(message, `/commit_sha must be "${SHA}", got "a\\nb"`)
})

t.test("an envelope's shape is reported with its own pointers", async t => {
  const envelope = (change: string): string =>
    `{"run_meta":{"benchmark_id":"b","started_at":"s",${change}},"commit":{},"records":[]}`
  const problem = (text: string): unknown => checkEnvelopeShape(parsed(text))
  t.match(problem(envelope('"schema_version":2147483648')), {
    pointer: '/run_meta/schema_version',
    code: 'out_of_range',
    message: '/run_meta/schema_version must fit in 32 bits, got 2147483648',
  })
  t.match(problem(envelope('"schema_version":"1"')), { pointer: '/run_meta/schema_version', code: 'not_integer' })
  t.match(problem(envelope('"schema_version":1')), { pointer: '/commit/sha', code: 'missing_field' })
  t.match(problem('{"run_meta":[],"commit":{},"records":[]}'), { pointer: '/run_meta', code: 'not_object' })
  t.match(problem('[]'), { pointer: '', code: 'not_object' })
})

function problemOf(text: string): Problem | undefined {
  const shape = checkShape(parsed(text))
  return shape.ok ? brokenRule(shape.value, SHA) : shape.problem
}

function parsed(text: string): ExactValue {
  const body = readBody(Buffer.from(text))
  if (!body.ok) throw new Error(`a test wrote bad JSON: ${text}`)
  return body.value
}
