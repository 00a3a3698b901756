import { readFile } from 'node:fs/promises'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import t from 'tap'
import { checkEnvelope } from '../../src/contract/envelope.js'
import { CONTRACT } from '../../src/contract/kinds.js'
import { publishedSchemas, schemaText } from '../../src/contract/schema.js'
import { readBody } from '../../src/source/body.js'
import { readRecord } from '../../src/source/read-record.js'
import { KIND_NAMES, SHA, VALID, line, type KindName, type Tokens } from '../fixtures/records.js'

const FOLDER = new URL('../../schemas/v1/', import.meta.url)
const readSchema = (name: string): Promise<string> => readFile(new URL(`${name}.json`, FOLDER), 'utf8')
const NAMES = [...KIND_NAMES, 'record', 'envelope']

t.test('the published files are what the contract table says, byte for byte', async t => {
  const schemas = publishedSchemas(CONTRACT)
  t.strictSame(Object.keys(schemas), NAMES)
  for (const [name, schema] of Object.entries(schemas))
    t.equal(await readSchema(name), schemaText(schema), `${name}.json (npm run generate -- --schemas)`)
})

t.test('64-bit bounds are published digit for digit, though a double would round them', async t => {
  const text = await readSchema('compression_size')
  t.match(text, /"minimum": -9223372036854775808,/)
  t.match(text, /"maximum": 9223372036854775807$/m)
})

t.test('a published schema and the program give every record the same verdict', async t => {
  const ajv = await compiled()
  for (const kind of KIND_NAMES) {
    const schemas = ['record', kind].map(name => validator(ajv, name))
    const verdicts = { taken: 0, refused: 0 }
    const disagreements: string[] = []
    for (const text of [line(kind), ...mutations(kind)]) {
      const { ok } = readRecord(Buffer.from(text))
      verdicts[ok ? 'taken' : 'refused']++
      if (schemas.some(schema => schema(JSON.parse(text)) !== ok)) disagreements.push(text)
    }
    t.strictSame(disagreements, [], kind)
    t.ok(verdicts.taken > 1 && verdicts.refused > 20, `${kind}: ${verdicts.taken} taken, ${verdicts.refused} refused`)
  }
})

t.test('the published schema of a kind takes no other kind', async t => {
  const ajv = await compiled()
  for (const kind of KIND_NAMES) {
    const taken = KIND_NAMES.filter(other => validator(ajv, kind)(JSON.parse(line(other))))
    t.strictSame(taken, [kind])
  }
})

t.test('the published envelope and the program give every envelope the same verdict', async t => {
  const schema = validator(await compiled(), 'envelope')
  const verdict = (text: string): boolean => {
    const body = readBody(Buffer.from(text))
    return body.ok && checkEnvelope(body.value).ok
  }
  t.ok(verdict(JSON.stringify(envelope())) && schema(envelope()), 'a valid one is taken')
  for (const [part, name, value] of envelopeMutations()) {
    const text = JSON.stringify(envelope(part, { [name]: value }))
    t.equal(verdict(text), false, `${part}.${name} = ${JSON.stringify(value)}: refused by the program`)
    t.equal(schema(JSON.parse(text)), false, `${part}.${name} = ${JSON.stringify(value)}: refused by the schema`)
  }
})

/** All published schemas in one strict ajv; only its check of types beside `properties` is left out. */
async function compiled(): Promise<Ajv2020> {
  const ajv = new Ajv2020({ strict: true, strictTypes: false })
  for (const name of NAMES) ajv.addSchema(JSON.parse(await readSchema(name)) as object)
  return ajv
}

function validator(ajv: Ajv2020, name: string): ValidateFunction {
  const validate = ajv.getSchema(`https://vortex-ingest.dev/schemas/v1/${name}.json`)
  if (validate === undefined) throw new Error(`${name} is not published`)
  return validate
}

/** Values that every JSON reader reads the same. */
const VALUES = ['null', 'true', '0', '-1', '2147483647', '2147483648', '1.5', '""', '"1"', '"a\\u0000b"', '"s3"']
const NESTED = ['[]', '[1]', '[1,"2"]', '[1,1.5]', '[null]', '[[1]]', '{}', '{"a":1}']

function mutations(kind: KindName): string[] {
  const names = ['kind', ...Object.keys(VALID[kind])]
  const changes: Tokens[] = names.flatMap(name => [undefined, ...VALUES, ...NESTED].map(token => ({ [name]: token })))
  const unknown: Tokens[] = [{ extra: '1' }, { extra: 'null' }, { Dataset: '"x"' }, { measurement_id: '1' }]
  return [...changes, ...unknown, ...(kind === 'query_measurement' ? memory() : [])].map(change => line(kind, change))
}

/** Each of the 81 ways in which the memory four may be there, null or absent. */
function memory(): Tokens[] {
  const names = ['peak_physical', 'peak_virtual', 'physical_delta', 'virtual_delta']
  return Array.from({ length: 3 ** names.length }, (_, way) =>
    Object.fromEntries(names.map((name, at) => [name, [undefined, 'null', '0'][Math.floor(way / 3 ** at) % 3]])),
  )
}

type Part = 'top' | 'run_meta' | 'commit'
type Parts = Readonly<Record<string, unknown>>

function envelope(part?: Part, change: Parts = {}): Parts {
  const of = (name: Part): Parts => (part === name ? change : {})
  const commit = {
    sha: SHA,
    timestamp: '2026-04-25T11:02:33+02:00',
    message: '',
    author_name: 'Ada',
    author_email: 'a@example.com',
    committer_name: 'Ada',
    committer_email: 'a@example.com',
    tree_sha: SHA,
    url: `https://example.com/commit/${SHA}`,
  }
  return {
    run_meta: { benchmark_id: 'b', schema_version: 1, started_at: '2026-04-25T09:02:33Z', ...of('run_meta') },
    commit: { ...commit, ...of('commit') },
    records: KIND_NAMES.map(kind => JSON.parse(line(kind)) as unknown),
    ...of('top'),
  }
}

function envelopeMutations(): [Part, string, unknown][] {
  const { run_meta, commit, ...top } = envelope()
  const parts = { top: { run_meta, commit, ...top }, run_meta, commit } as Readonly<Record<Part, object>>
  const wrong = [undefined, null, true, 1.5, [null], {}]
  return (Object.entries(parts) as [Part, object][]).flatMap(([part, fields]) => [
    ...Object.keys(fields).flatMap(name => wrong.map(value => [part, name, value] as [Part, string, unknown])),
    [part, 'extra', null] as [Part, string, unknown],
  ])
}
