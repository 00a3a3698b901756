import { readFile } from 'node:fs/promises'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import t from 'tap'
import { checkEnvelope } from '../../src/contract/envelope.js'
import { CONTRACT, CONTRACTS, contractOf } from '../../src/contract/kinds.js'
import { publishedSchemas, schemaText } from '../../src/contract/schema.js'
import { versionsIn } from '../../src/contract/version-set.js'
import { readBody } from '../../src/source/exact-json.js'
import { readRecord } from '../../src/source/read-record.js'
import { BEFORE, KIND_NAMES, SHA, VALID, line, type KindName, type Tokens } from '../fixtures/records.js'

const VERSIONS = [...CONTRACTS.keys()]
const readSchema = (name: string, version: number): Promise<string> =>
  readFile(new URL(`../../schemas/v${version}/${name}.json`, import.meta.url), 'utf8')
const NAMES = [...KIND_NAMES, 'record', 'envelope']

/** Every version with the fields that its lines do not have. */
const LINES_OF: readonly (readonly [version: number, without: Tokens])[] = [
  [1, BEFORE[1]],
  [2, BEFORE[2]],
  [3, {}],
]

for (const version of VERSIONS)
  t.test(`the published files of version ${version} are what the contract table says, byte for byte`, async t => {
    const schemas = publishedSchemas(contractOf(version))
    t.strictSame(Object.keys(schemas), NAMES)
    for (const [name, schema] of Object.entries(schemas))
      t.equal(await readSchema(name, version), schemaText(schema), `${name}.json (npm run docs)`)
  })

t.test('every published field has a description, and a field of a later version says since when', async t => {
  for (const version of VERSIONS)
    for (const kind of KIND_NAMES) {
      const { title, description, properties } = JSON.parse(await readSchema(kind, version)) as PublishedKind
      t.equal(title, `One ${kind} record`)
      t.match(description, /^[A-Z].*\.$/, kind)
      for (const [name, { description }] of Object.entries(properties).filter(([name]) => name !== 'kind'))
        t.match(description, /^[A-Z].*\.$/, `v${version} ${kind}.${name}`)
    }
  const { properties } = JSON.parse(await readSchema('compression_size', 3)) as PublishedKind
  t.equal(
    properties['uncompressed_bytes']?.description,
    'Size of the data before compression. Unit: bytes. Since contract version 2.',
  )
})

type PublishedKind = {
  readonly title: string
  readonly description: string
  readonly properties: Readonly<Record<string, { readonly description?: string }>>
}

t.test('64-bit bounds are published digit for digit, though a double would round them', async t => {
  const text = await readSchema('compression_size', 1)
  t.match(text, /"minimum": -9223372036854775808,/)
  t.match(text, /"maximum": 9223372036854775807$/m)
})

for (const version of VERSIONS)
  t.test(`a published schema of version ${version} and the program give every record the same verdict`, async t => {
    const ajv = await compiled(version)
    for (const kind of KIND_NAMES) {
      const schemas = ['record', kind].map(name => validator(ajv, name, version))
      const verdicts = { taken: 0, refused: 0 }
      const disagreements: string[] = []
      for (const text of mutations(kind)) {
        const { ok } = readRecord(Buffer.from(text), { version })
        verdicts[ok ? 'taken' : 'refused']++
        if (schemas.some(schema => schema(JSON.parse(text)) !== ok)) disagreements.push(text)
      }
      t.strictSame(disagreements, [], kind)
      t.ok(verdicts.taken > 1 && verdicts.refused > 20, `${kind}: ${verdicts.taken} taken, ${verdicts.refused} refused`)
    }
  })

t.test('the versions that a record fits are those whose published schemas take it', async t => {
  const ajvs = await Promise.all(VERSIONS.map(async version => [version, await compiled(version)] as const))
  for (const kind of KIND_NAMES) {
    const disagreements: string[] = []
    const found = new Set<string>()
    for (const text of mutations(kind)) {
      const value: unknown = JSON.parse(text)
      const published = ajvs
        .filter(([version, ajv]) => validator(ajv, kind, version)(value))
        .map(([version]) => version)
      const read = readRecord(Buffer.from(text))
      const fits = read.ok ? versionsIn(read.record.fits) : []
      found.add(fits.join())
      if (fits.join() !== published.join()) disagreements.push(`${text}: ${fits.join()}, published ${published.join()}`)
    }
    t.strictSame(disagreements, [], kind)
    t.strictSame([...found].sort(), SETS[kind] ?? ['', '1,2,3'], kind)
  }
})

/** For each kind, the sets of versions that a line can fit. Kinds that are not listed are the same in all versions. */
const SETS: Readonly<Record<string, readonly string[]>> = {
  compression_size: ['', '1', '2,3'],
  random_access_time: ['', '1,2', '3'],
}

t.test('the published schema of a kind takes no other kind', async t => {
  const ajv = await compiled(CONTRACT.version)
  for (const kind of KIND_NAMES) {
    const taken = KIND_NAMES.filter(other => validator(ajv, kind, CONTRACT.version)(JSON.parse(line(other))))
    t.strictSame(taken, [kind])
  }
})

for (const [version, without] of LINES_OF)
  t.test(
    `the published envelope of version ${version} and the program give every envelope the same verdict`,
    async t => {
      const schema = validator(await compiled(version), 'envelope', version)
      const verdict = (text: string): boolean => {
        const body = readBody(Buffer.from(text))
        return body.ok && checkEnvelope(body.value, version).ok
      }
      const sound = envelope({ version, without })
      t.ok(verdict(JSON.stringify(sound)) && schema(sound), 'a valid one is taken')
      const others = LINES_OF.filter(([other]) => other !== version)
      for (const [other, lacks] of others) {
        const mixed = envelope({ version, without: lacks })
        t.notOk(verdict(JSON.stringify(mixed)) || schema(mixed), `records of version ${other} are refused by both`)
      }
      for (const [part, name, value] of envelopeMutations(version)) {
        const text = JSON.stringify(envelope({ version, without }, part, { [name]: value }))
        t.equal(verdict(text), false, `${part}.${name} = ${JSON.stringify(value)}: refused by the program`)
        t.equal(schema(JSON.parse(text)), false, `${part}.${name} = ${JSON.stringify(value)}: refused by the schema`)
      }
    },
  )

/** Compiles all published schemas of a version in strict mode, except for the check that `properties` has a type beside it. */
async function compiled(version: number): Promise<Ajv2020> {
  const ajv = new Ajv2020({ strict: true, strictTypes: false })
  for (const name of NAMES) ajv.addSchema(JSON.parse(await readSchema(name, version)) as object)
  return ajv
}

function validator(ajv: Ajv2020, name: string, version: number): ValidateFunction {
  const validate = ajv.getSchema(`https://vortex-ingest.dev/schemas/v${version}/${name}.json`)
  if (validate === undefined) throw new Error(`${name} is not published`)
  return validate
}

/** Values that all JSON readers read alike. */
const VALUES = ['null', 'true', '0', '-1', '2147483647', '2147483648', '1.5', '""', '"1"', '"a\\u0000b"', '"s3"']
const NESTED = ['[]', '[1]', '[1,"2"]', '[1,1.5]', '[null]', '[[1]]', '{}', '{"a":1}']

/** Lines of every version, each changed in one place. */
function mutations(kind: KindName): string[] {
  const names = ['kind', ...Object.keys(VALID[kind])]
  const changes: Tokens[] = names.flatMap(name => [undefined, ...VALUES, ...NESTED].map(token => ({ [name]: token })))
  const unknown: Tokens[] = [{ extra: '1' }, { extra: 'null' }, { Dataset: '"x"' }, { measurement_id: '1' }]
  const all = [{}, ...changes, ...unknown, ...(kind === 'query_measurement' ? memory() : [])]
  return LINES_OF.flatMap(([, without]) => all.map(change => line(kind, { ...without, ...change })))
}

/** The 81 combinations of the four memory fields being present, null or absent. */
function memory(): Tokens[] {
  const names = ['peak_physical', 'peak_virtual', 'physical_delta', 'virtual_delta']
  return Array.from({ length: 3 ** names.length }, (_, way) =>
    Object.fromEntries(names.map((name, at) => [name, [undefined, 'null', '0'][Math.floor(way / 3 ** at) % 3]])),
  )
}

type Part = 'top' | 'run_meta' | 'commit'
type Parts = Readonly<Record<string, unknown>>

type Version = { readonly version: number; readonly without: Tokens }

function envelope({ version, without }: Version, part?: Part, change: Parts = {}): Parts {
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
    run_meta: { benchmark_id: 'b', schema_version: version, started_at: '2026-04-25T09:02:33Z', ...of('run_meta') },
    commit: { ...commit, ...of('commit') },
    records: KIND_NAMES.map(kind => JSON.parse(line(kind, without)) as unknown),
    ...of('top'),
  }
}

function envelopeMutations(version: number): [Part, string, unknown][] {
  const { run_meta, commit, ...top } = envelope({ version, without: {} })
  const parts = { top: { run_meta, commit, ...top }, run_meta, commit } as Readonly<Record<Part, object>>
  const wrong = [undefined, null, true, 1.5, [null], {}]
  return (Object.entries(parts) as [Part, object][]).flatMap(([part, fields]) => [
    ...Object.keys(fields).flatMap(name => wrong.map(value => [part, name, value] as [Part, string, unknown])),
    [part, 'extra', null] as [Part, string, unknown],
  ])
}
