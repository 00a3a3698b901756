import t from 'tap'
import { loadRunningHash64 } from '../../../src/contract/hash64.js'
import { CommaWriter, ENVELOPE_TAIL, envelopeHead, envelopeKey } from '../../../src/targets/server/envelope-body.js'
import { size } from '../../fixtures/delivery.js'
import { COMMIT, RUN } from '../../fixtures/records.js'
import { Random } from '../../fixtures/random.js'

const ENVELOPE = { run: RUN, commit: COMMIT }

/** @param cuts offsets at which the lines are split into pieces */
function written(text: string, records: number, cuts: readonly number[]): string {
  const writer = new CommaWriter(records)
  const bytes = Buffer.from(text)
  const pieces = [...cuts, bytes.length].map((end, index) => bytes.subarray(cuts[index - 1] ?? 0, end))
  const out = Buffer.concat(pieces.map(piece => writer.write(piece)))
  if (!writer.done) throw new Error('a record is missing')
  return out.toString()
}

const LINES = ['{"a":1}\n', '\n', ' \t\r\n', '{"b":[1,2]}\r\n', '  {"c":"é"}  \n', '\n']
const TEXT = LINES.join('')
const EXPECTED = ['{"a":1},', ' ', ' \t\r ', '{"b":[1,2]}\r,', '  {"c":"é"}  ', ' ', ' '].join('')

t.test('a line feed becomes a comma where another record follows, and a space elsewhere', async t => {
  t.equal(written(TEXT, 3, []), EXPECTED)
})

t.test('the result does not depend on how the lines are split into pieces', async t => {
  const length = Buffer.byteLength(TEXT)
  t.equal(
    written(
      TEXT,
      3,
      Array.from({ length }, (_, i) => i),
    ),
    EXPECTED,
  )
  for (let cut = 0; cut <= length; cut++) if (written(TEXT, 3, [cut]) !== EXPECTED) t.fail(`cut at ${cut}`)
  for (const seed of Array(200).keys()) {
    const random = new Random(seed)
    const cuts = Array.from({ length: random.int(0, 9) }, () => random.int(0, length)).sort((a, b) => a - b)
    if (written(TEXT, 3, cuts) !== EXPECTED) t.fail(`cut at ${cuts.join()}`)
  }
})

t.test('the input buffer is not modified', async t => {
  const bytes = Buffer.from(TEXT)
  new CommaWriter(3).write(bytes)
  t.equal(bytes.toString(), TEXT)
})

t.test('the writer is not done before all records are written', async t => {
  const writer = new CommaWriter(2)
  writer.write(Buffer.from('{}\n\n'))
  t.notOk(writer.done)
  writer.write(Buffer.from('{}\n'))
  t.ok(writer.done)
  t.ok(new CommaWriter(0).done)
})

t.test('the whole body is JSON with exactly the records and unchanged tokens', async t => {
  const tokens = ['9223372036854775807', '-9223372036854775808', '-0', '0', '12345678901234567']
  const records = tokens.map((token, index) => size(`d${index} \\u00e9 ü "`, token))
  const body = `${envelopeHead(ENVELOPE).toString()}${written(`${records.join('\r\n\n')}\n`, 5, [])}${ENVELOPE_TAIL.toString()}`
  t.strictSame(JSON.parse(body), {
    run_meta: RUN,
    commit: COMMIT,
    records: records.map(record => JSON.parse(record) as unknown),
  })
  for (const record of records) t.ok(body.includes(record), record)
})

t.test('an envelope without records is valid JSON', async t => {
  t.strictSame(JSON.parse(`${envelopeHead(ENVELOPE).toString()}${ENVELOPE_TAIL.toString()}`), {
    ...{ run_meta: RUN, commit: COMMIT, records: [] },
  })
})

t.test("the head contains only the contract's fields, with any text", async t => {
  const message = 'line\n"quoted" \u2028 \u0001 żółć 🙂'
  const run = { ...RUN, secret: 'never' }
  const head = JSON.parse(`${envelopeHead({ run, commit: { ...COMMIT, message } }).toString()}]}`) as {
    readonly run_meta: object
    readonly commit: { readonly message: string }
  }
  t.strictSame(head.run_meta, RUN)
  t.equal(head.commit.message, message)
})

t.test('the key depends on the benchmark, the commit and the lines, not on the time', async t => {
  const startHash = await loadRunningHash64()
  const key = (change: Partial<typeof RUN>, commit = COMMIT, lines: readonly string[] = []): string => {
    const started = envelopeKey({ run: { ...RUN, ...change }, commit }, startHash())
    for (const line of lines) started.update(Buffer.from(line))
    return started.digest('hex')
  }
  t.equal(key({}), key({ started_at: '2030-01-01T00:00:00.000Z' }))
  t.not(key({}), key({ benchmark_id: 'other' }))
  t.not(key({}), key({}, { ...COMMIT, message: 'other' }))
  t.not(key({}), key({}, COMMIT, ['1\n']))
  t.equal(key({}, COMMIT, ['1\n', '2\n']), key({}, COMMIT, ['1\n2\n']))
})
