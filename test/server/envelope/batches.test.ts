/** Tests that the second pass yields the same records as parsing the whole envelope. */

import t from 'tap'
import { checkEnvelope } from '../../../src/contract/envelope.js'
import { realText, type ExactValue } from '../../../src/contract/exact-value.js'
import { wasmHash64 } from '../../../src/contract/hash64.js'
import { SCHEMA_VERSION } from '../../../src/contract/kinds.js'
import { measurementId } from '../../../src/contract/measurement-id.js'
import { recordBatches } from '../../../src/server/envelope/batches.js'
import { checkBody } from '../../../src/server/envelope/check-body.js'
import { readBody } from '../../../src/source/exact-json.js'
import { Random, SEED } from '../../fixtures/random.js'
import { line, lineOf, randomTokens } from '../../fixtures/records.js'
import { walkable, envelope } from '../fixtures/envelopes.js'

const hash = await wasmHash64()

type Row = { readonly id: string; readonly kind: string; readonly values: readonly (string | undefined)[] }

async function found(text: string): Promise<readonly Row[]> {
  const bytes = walkable(Buffer.from(text))
  const check = await checkBody(bytes, SCHEMA_VERSION)
  if (!check.ok) throw new Error(check.error)
  const rows: Row[] = []
  for await (const batch of recordBatches(bytes, { from: check.from, version: SCHEMA_VERSION, hash }))
    for (let row = 0; row < batch.count; row++) {
      const kind = batch.kindOf(row)
      const values = kind.fields.map(({ type }, field) => {
        const value = batch.text(row, field)
        return type === '[i64]' ? value?.replaceAll(' ', '') : type === 'f64' ? realText(batch.reals[row]!) : value
      })
      rows.push({ id: String(batch.ids[row]), kind: kind.kind, values })
    }
  return rows
}

function expected(text: string): readonly Row[] {
  const body = readBody(Buffer.from(text))
  const check = body.ok ? checkEnvelope(body.value) : undefined
  if (check?.ok !== true) throw new Error('the test wrote a bad envelope')
  return check.envelope.records.map(({ kind, fields }) => ({
    id: String(measurementId(kind, fields, hash)),
    kind: kind.kind,
    values: kind.fields.map(({ name, type }) => textOf(fields[name], type === 'f64')),
  }))
}

function textOf(value: ExactValue | undefined, real: boolean): string | undefined {
  if (value === undefined || value === null) return undefined
  if (real) return realText(Number(value))
  return Array.isArray(value) ? value.join(',') : (value as string | bigint).toString()
}

t.test(`every record comes once, in order, with its id and its values (seed ${SEED})`, async t => {
  const random = new Random()
  for (const count of [0, 1, 1023, 1024, 1025, 3000]) {
    const records = Array.from({ length: count }, () => {
      if (random.chance(0.05))
        return line('compression_size', { format: JSON.stringify(`"${'\\é\n'.repeat(random.int(0, 300))}`) })
      if (random.chance(0.05))
        return line('vector_search_run', {
          threshold: random.pick(['-0.0', '1e-9', '5', '-0']),
          value_ns: '9223372036854775807',
        })
      const { kind, tokens } = randomTokens(random)
      return lineOf({ kind: `"${kind}"`, ...tokens }).replaceAll(',"', random.pick([',"', ', "', ',\n  "']))
    })
    const body = envelope(records)
    t.strictSame(await found(body), expected(body), `${count} records`)
  }
})

t.test('a record may be as long as it likes', async t => {
  const long = envelope([
    line('compression_size', { dataset: JSON.stringify('x'.repeat(300_000)) }),
    line('compression_size', { dataset: JSON.stringify('\u0001é'.repeat(100_000)) }),
    line('compression_time', {
      all_runtimes_ns: `[${Array.from({ length: 50_000 }, (_, index) => index).join(', ')}]`,
    }),
  ])
  t.strictSame(await found(long), expected(long))
})

t.test('a large record that the fast reader does not accept has the same values', async t => {
  const many = Array.from({ length: 60_000 }, (_, index) => String(index * 1_000_003))
  const limits = ['9223372036854775807', '-9223372036854775808', '0', ...many]
  const env_triple = JSON.stringify('é"\n\u{1f642}'.repeat(40_000))
  const large = (all_runtimes_ns: string): string => line('query_measurement', { all_runtimes_ns, env_triple })
  const repeated = large('[1]').replace(
    '"all_runtimes_ns":[1]',
    `"all_runtimes_ns":[${many.join(',')}],"all_runtimes_ns":[7]`,
  )
  const text = envelope([
    large(`[${limits.join(',')}]`),
    large(`[ ${limits.join(' ,\n\t ')}\r\n]`),
    large('[]'),
    repeated,
    line('compression_size'),
  ])
  t.strictSame(await found(text), expected(text))
})

t.test('a large record that is wrong gets the same message', async t => {
  const many = '1,'.repeat(200_000)
  for (const [all_runtimes_ns, dataset] of [
    [`[${many}1.5]`, '"d"'],
    [`[${many}-0]`, '"d"'],
    [`[${many}9223372036854775808,2]`, '"d"'],
    [`[${many}null]`, '"d"'],
    [`[${many}[1]]`, '"d"'],
    [`[${many}1]`, `[${many}1]`],
    [`[${many}1]`, '5'],
  ] as const) {
    const body = Buffer.from(envelope([line('query_measurement', { all_runtimes_ns, dataset })]))
    const tree = readBody(body)
    const wanted = tree.ok ? checkEnvelope(tree.value) : undefined
    const given = await checkBody(walkable(body), SCHEMA_VERSION)
    t.match(given, { ok: false, error: 'malformed' })
    t.equal('message' in given && given.message, wanted && 'message' in wanted && wanted.message)
  }
})
