/** Records that are encoded as tables have the same values in other programs, digit for digit, and the same ids when read back. */

import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { CONTRACT, type Kind } from '../../src/contract/kinds.js'
import { wasmHash64 } from '../../src/contract/hash64.js'
import type { StoredRow } from '../../src/database/queries/rows.js'
import { csvEncoder } from '../../src/formats/csv.js'
import { recordLine, rowOfRecord } from '../../src/formats/json-lines.js'
import { openParquet } from '../../src/formats/parquet-reader.js'
import { parquetEncoder } from '../../src/formats/parquet-writer.js'
import { tableOf } from '../../src/formats/table.js'
import type { TableEncoder } from '../../src/formats/table-encoder.js'
import { chunkReader } from '../../src/source/byte-reader.js'
import { createIdentifier } from '../../src/source/identify.js'
import { lineBlocks } from '../../src/source/lines.js'
import { readRecords } from '../../src/source/records.js'
import { Random, SEED } from '../fixtures/random.js'
import { line, plainLineOfAnyVersion } from '../fixtures/records.js'
import { readSharedFixture } from '../fixtures/shared.js'
import {
  duckDbTypes,
  hasPyarrow,
  NO_PYARROW,
  queryDuckDb,
  readWithDuckDb,
  readWithPyarrow,
} from '../fixtures/table-readers.js'

const hash = await wasmHash64()

/** Rows of each kind, by the name of the kind, without repeated ids. */
async function rowsOf(lines: readonly string[]): Promise<ReadonlyMap<Kind, readonly StoredRow[]>> {
  const chunks = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.from(lines.map(text => `${text}\n`).join(''))
  }
  const rows = new Map<Kind, StoredRow[]>(CONTRACT.kinds.map(kind => [kind, []]))
  const identify = createIdentifier(hash)
  const blocks = lineBlocks(chunkReader(chunks(), () => Promise.resolve()))
  for await (const { batch, rejections } of readRecords(blocks, { source: 'test' })) {
    if (rejections.length > 0) throw new Error(JSON.stringify(rejections[0]))
    identify(batch)
    for (let row = 0; row < batch.count; row++) rows.get(batch.kindOf(row))!.push(rowOfRecord(batch, row))
  }
  return rows
}

function encode(encoder: TableEncoder, rows: readonly StoredRow[]): Buffer {
  return Buffer.concat([...rows.map(row => encoder.add(row)), encoder.end()])
}

/** The values of a table in the order of its columns. Doubles are compared as numbers, because programs write them differently. */
function cells(kind: Kind, rows: readonly StoredRow[]): readonly (readonly (string | number | null)[])[] {
  return rows.map(row => tableOf(kind).columns.map(({ name, type }) => normal(type, row[name] ?? null)))
}

function normal(type: string, text: string | null): string | number | null {
  if (text === null || type === 'str') return text
  if (type === 'f64') return Object.is(Number(text), -0) ? '-0' : Number(text)
  return type === '[i64]' ? text.replace(/[{}[\] "]/g, '') : text
}

function normalTable(kind: Kind, table: readonly (readonly (string | null)[])[]): ReturnType<typeof cells> {
  return table.map(row => row.map((text, index) => normal(tableOf(kind).columns[index]!.type, text)))
}

/** DuckDB does not tell an empty text from null in CSV. */
function withoutEmpty(table: ReturnType<typeof cells>): ReturnType<typeof cells> {
  return table.map(row => row.map(value => (value === '' ? null : value)))
}

const EXTREMES = [
  ['value_ns', '9223372036854775807'],
  ['value_ns', '-9223372036854775808'],
  ['all_runtimes_ns', '[]'],
  ['all_runtimes_ns', '[9223372036854775807,-9223372036854775808,0]'],
  ['env_triple', 'null'],
  ['env_triple', '""'],
  ['dataset', String.raw`"\ufeffstarts with a mark, \"quotes\", commas\r\nand lines\n"`],
  ['dataset', '"🙂 größe データ"'],
] as const

const extremes = EXTREMES.map(([name, token], index) =>
  line('vector_search_run', {
    threshold: ['-0.0', '1e-300', '0.1', '9705402439157524412'][index % 4],
    flavor: `"${index}"`,
    [name]: token,
  }),
)

async function allLines(test: typeof t): Promise<string[]> {
  const random = new Random()
  const shared = await readSharedFixture(test, 'fixtures/ids.jsonl')
  const records = (shared ?? '')
    .split('\n')
    .filter(text => text !== '')
    .map(text => /^\{"record":(.*),"measurement_id":"-?\d+"\}$/.exec(text)![1]!)
  return [...extremes, ...records, ...Array.from({ length: 500 }, () => plainLineOfAnyVersion(random))]
}

t.test(
  `JSON lines, Parquet and CSV keep every value of the fixtures and of random records (TEST_SEED=${SEED})`,
  async t => {
    const folder = t.testdir({})
    const tables = await rowsOf(await allLines(t as typeof import('tap').default))
    for (const [kind, rows] of tables) {
      t.ok(rows.length > 50, `${rows.length} rows of ${kind.table}`)
      const again = await rowsOf(rows.map(row => recordLine(kind, row)))
      t.strictSame(again.get(kind), rows, 'JSON lines are read back')
      const path = join(folder, kind.table)
      const parquet = encode(parquetEncoder(tableOf(kind)), rows)
      const back: unknown[] = []
      for await (const group of openParquet(parquet).rowGroups()) back.push(...group)
      t.strictSame(
        back,
        rows.map(row => ({ ...row })),
        'Parquet is read back',
      )
      writeFileSync(`${path}.parquet`, parquet)
      t.strictSame(
        normalTable(kind, await readWithDuckDb(`${path}.parquet`)),
        cells(kind, rows),
        'DuckDB reads Parquet',
      )
      if (hasPyarrow)
        t.strictSame(
          normalTable(kind, await readWithPyarrow(`${path}.parquet`)),
          cells(kind, rows),
          'pyarrow reads Parquet',
        )
      writeFileSync(`${path}.csv`, encode(csvEncoder(tableOf(kind)), rows))
      const csv = `read_csv('${path}.csv', all_varchar = true, header = true, delim = ',', quote = '"', escape = '"', parallel = false)`
      const read = await queryDuckDb(`SELECT * FROM ${csv}`)
      t.strictSame(withoutEmpty(normalTable(kind, read)), withoutEmpty(cells(kind, rows)), 'DuckDB reads CSV')
    }
  },
)

t.test('pyarrow', { skip: hasPyarrow ? false : NO_PYARROW }, async t => t.ok(hasPyarrow))

t.test('columns of Parquet have the types of the contract', async t => {
  const [kind] = CONTRACT.kinds
  const path = join(t.testdir({}), 'empty.parquet')
  writeFileSync(path, encode(parquetEncoder(tableOf(kind!)), []))
  t.match(await duckDbTypes(path), {
    ...{ measurement_id: 'BIGINT', commit_sha: 'VARCHAR', query_idx: 'INTEGER', value_ns: 'BIGINT' },
    ...{ all_runtimes_ns: 'BIGINT[]', peak_physical: 'BIGINT' },
  })
})

t.test('equal rows give equal Parquet, in several row groups, and metadata', async t => {
  const kind = CONTRACT.kinds.find(one => one.kind === 'vector_search_run')!
  const rows = (await rowsOf([line('vector_search_run')])).get(kind)!
  const digest = (): string => {
    const encoder = parquetEncoder(tableOf(kind), { metadata: () => ({ generation: '{"a":1}' }) })
    const sum = createHash('sha256')
    for (let index = 0; index < 120_000; index++)
      sum.update(encoder.add({ ...rows[0]!, measurement_id: String(index) }))
    return sum.update(encoder.end()).digest('hex')
  }
  t.equal(digest(), digest())
  const small = openParquet(
    encode(parquetEncoder(tableOf(kind), { metadata: () => ({ generation: '{"a":1}' }) }), rows),
  )
  t.equal(small.metadata.get('generation'), '{"a":1}')
})

t.test('a value that no record can have is named', async t => {
  const kind = CONTRACT.kinds.find(one => one.kind === 'vector_search_run')!
  const [row] = (await rowsOf([line('vector_search_run')])).get(kind)!
  t.throws(() => recordLine(kind, { ...row!, threshold: 'NaN' }), { code: 'bad_data', message: /has NaN in threshold/ })
  const bad = { ...row!, all_runtimes_ns: '{1,NULL}' }
  for (const encode of [
    () => recordLine(kind, bad),
    () => parquetEncoder(tableOf(kind)).add(bad),
    () => csvEncoder(tableOf(kind)).add(bad),
  ])
    t.throws(encode, { code: 'bad_data', message: /\{1,NULL\} in all_runtimes_ns/ })
})

t.test('CSV has a header, quotes what RFC 4180 says, and tells an empty text from null', async t => {
  const kind = CONTRACT.kinds.find(one => one.kind === 'compression_time')!
  const changes = {
    dataset: String.raw`"a\nb"`,
    dataset_variant: 'null',
    format: '""',
    op: String.raw`"say \"hi\", twice"`,
    env_triple: 'null',
  }
  const rows = (await rowsOf([line('compression_time', changes)])).get(kind)!
  const id = rows[0]!.measurement_id
  t.equal(
    encode(csvEncoder(tableOf(kind)), rows).toString(),
    'measurement_id,commit_sha,dataset,dataset_variant,format,op,value_ns,all_runtimes_ns,env_triple\r\n' +
      `${id},0123456789abcdef0123456789abcdef01234567,"a\nb",,"","say ""hi"", twice",1200,"[1100,1200,1300]",\r\n`,
  )
})
