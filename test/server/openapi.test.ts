/** Calls every operation of the OpenAPI document on a real server and validates the answers against the document. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import t from 'tap'
import { writtenDocument } from '../../scripts/openapi.js'
import { SCHEMA_VERSION } from '../../src/contract/kinds.js'
import { IngestError } from '../../src/errors.js'
import { promoteTrial, rollBackPromotion } from '../../src/state/promotions.js'
import { changeRegistry, withEntry, type RegisteredTarget } from '../../src/state/registry.js'
import { addTarget } from '../../src/state/targets.js'
import { recordTrial } from '../../src/state/trial.js'
import { memoryStorage } from '../../src/storage/memory.js'
import { DEFAULTS, trialOf } from '../delivery/tuning/fixtures/trials.js'
import { startOperated, JSON_TYPE, OPERATOR_TOKEN } from './fixtures/operator.js'
import { startServer, REVALIDATE_TOKEN, TOKEN } from './fixtures/server.js'
import { startStore } from './fixtures/store.js'
import { KIND_NAMES, line, SHA, sizeLine } from '../fixtures/records.js'
import { envelope, metaOf } from './fixtures/envelopes.js'

const writer = { ...JSON_TYPE, authorization: `Bearer ${TOKEN}` }

const operator = { authorization: `Bearer ${OPERATOR_TOKEN}` }

const operatorJson = { ...operator, ...JSON_TYPE }

const whole = envelope(KIND_NAMES.map(kind => line(kind)))

const bucketBody = '{"name":"own","root":"memory:"}'

const ACCEPTED = '/api/accepted-changes'

const TEXT = { 'content-type': 'text/plain' }

const acceptance = JSON.stringify({ commit: SHA, note: 'known', by: 'ann' })

const object = '/storage/buckets/own/objects/a/b'

const huge = 'x'.repeat(200_001)

const ask = (
  operation: string,
  status: number,
  path: string,
  rest: Omit<Asked, 'operation' | 'status' | 'path'> = {},
) => ({
  ...{ operation, status, path, ...rest },
})

/** The requests in order, because later ones use what earlier ones added. `SLUG` stands for an existing group, `ACCEPTANCE` for the id of an accepted change. */
const CALLS: readonly Asked[] = [
  ask('ingest', 200, '/api/ingest', { body: whole, headers: writer }),
  ask('ingest', 400, '/api/ingest', { body: '{', headers: writer }),
  ask('ingest', 400, '/api/ingest', { body: envelope([sizeLine('x').replace(SHA, 'f'.repeat(40))]), headers: writer }),
  ask('deliveries', 200, `/api/deliveries?commit=${SHA}`),
  ask('deliveries', 200, `/api/deliveries?commit=${SHA}&group=SLUG`),
  ask('deliveries', 200, `/api/deliveries?commit=${'f'.repeat(40)}`),
  ask('deliveries', 200, '/api/deliveries?id=7'),
  ask('deliveries', 400, '/api/deliveries'),
  ask('ingest', 401, '/api/ingest', { body: whole, headers: JSON_TYPE }),
  ask('ingest', 409, '/api/ingest', {
    body: envelope([], { meta: metaOf(SCHEMA_VERSION + 1) }),
    headers: writer,
  }),
  ask('ingest', 413, '/api/ingest', { body: huge, headers: writer }),
  ask('ingest', 415, '/api/ingest', {
    body: whole,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'text/plain' },
  }),
  ask('revalidate', 200, '/api/revalidate', { headers: { authorization: `Bearer ${REVALIDATE_TOKEN}` } }),
  ask('revalidate', 401, '/api/revalidate'),
  ask('about', 200, '/'),
  ask('health', 200, '/health'),
  ask('health', 200, '/health?version'),
  ask('openapi', 200, '/openapi.json'),
  ask('groups', 200, '/api/groups'),
  ask('group', 200, '/api/group/SLUG?n=5'),
  ask('group', 400, '/api/group/SLUG?n=x'),
  ask('group', 404, '/api/group/nothing'),
  ask('history', 200, '/api/history/SLUG?n=5'),
  ask('history', 200, '/api/history/SLUG?runs=quartiles'),
  ask('history', 400, '/api/history/SLUG?n=x'),
  ask('history', 400, '/api/history/SLUG?runs=all'),
  ask('history', 404, '/api/history/nothing'),
  ask('changes', 200, '/api/changes'),
  ask('accept_change', 201, ACCEPTED, { body: acceptance, headers: writer }),
  ask('accept_change', 200, ACCEPTED, { body: acceptance, headers: operatorJson }),
  ask('accept_change', 400, ACCEPTED, { body: '{}', headers: writer }),
  ask('accept_change', 401, ACCEPTED, { body: acceptance, headers: JSON_TYPE }),
  ask('accept_change', 404, ACCEPTED, { body: acceptance.replace(SHA, 'f'.repeat(40)), headers: writer }),
  ask('accept_change', 413, ACCEPTED, { body: huge, headers: writer }),
  ask('accept_change', 415, ACCEPTED, { body: acceptance, headers: { ...writer, ...TEXT } }),
  ask('accepted_changes', 200, ACCEPTED),
  ask('accepted_changes', 400, `${ACCEPTED}?after=%2f`),
  ask('withdraw_accepted_change', 200, `${ACCEPTED}/ACCEPTANCE/withdraw`, { body: '{"by":"ann"}', headers: writer }),
  ask('withdraw_accepted_change', 400, `${ACCEPTED}/ACCEPTANCE/withdraw`, { body: '[]', headers: writer }),
  ask('withdraw_accepted_change', 401, `${ACCEPTED}/ACCEPTANCE/withdraw`, { body: '{"by":"ann"}' }),
  ask('withdraw_accepted_change', 413, `${ACCEPTED}/none/withdraw`, { body: huge, headers: writer }),
  ask('withdraw_accepted_change', 415, `${ACCEPTED}/none/withdraw`, {
    body: 'by=ann',
    headers: { ...writer, ...TEXT },
  }),
  ask('withdraw_accepted_change', 404, `${ACCEPTED}/none/withdraw`, { body: '{"by":"ann"}', headers: writer }),
  ask('badge', 200, '/badge/SLUG.svg'),
  ask('badge', 404, '/badge/nothing.svg'),
  ask('commits', 200, '/api/commits?n=5'),
  ask('commits', 400, '/api/commits?n=x'),
  ask('commits', 200, '/api/commits?prefix=0123&n=3'),
  ask('commits', 400, '/api/commits?prefix=xyz'),
  ask('commits', 200, `/api/commits?shas=${SHA},${'f'.repeat(40)}`),
  ask('commits', 400, '/api/commits?shas=0123'),
  ask('series', 200, `/api/series?commits=${SHA},${'f'.repeat(40)}`),
  ask('series', 400, '/api/series'),
  ask('first_parents', 200, `/api/commits/${SHA}/first-parents?n=5`),
  ask('first_parents', 400, `/api/commits/${SHA}/first-parents?n=x`),
  ask('series', 400, '/api/series?commits=0123'),
  ask('pushes', 200, '/api/pushes'),
  ask('measurements', 200, `/api/measurements?commit=${SHA}&limit=2`),
  ask('measurements', 200, `/api/measurements?commit=${SHA}`),
  ask('measurements', 200, '/api/measurements?ids=1,-2'),
  ask('measurements', 400, '/api/measurements'),
  ask('commit', 200, `/api/commits/${SHA}`),
  ask('commit', 404, '/api/commits/none'),
  ask('addBucket', 201, '/storage/buckets', { body: bucketBody, headers: operatorJson }),
  ask('addBucket', 400, '/storage/buckets', { body: '{"name":"x","root":""}', headers: operatorJson }),
  ask('addBucket', 401, '/storage/buckets', { body: bucketBody, headers: writer }),
  ask('addBucket', 409, '/storage/buckets', { body: bucketBody, headers: operatorJson }),
  ask('addBucket', 413, '/storage/buckets', { body: huge, headers: operatorJson }),
  ask('addBucket', 415, '/storage/buckets', {
    body: bucketBody,
    headers: { ...operator, 'content-type': 'text/plain' },
  }),
  ask('listBuckets', 200, '/storage/buckets', { headers: operator }),
  ask('listBuckets', 401, '/storage/buckets'),
  ask('putObject', 200, object, { body: 'bytes', headers: operator }),
  ask('putObject', 400, '/storage/buckets/own/objects/a%2500', { body: 'bytes', headers: operator }),
  ask('putObject', 401, object, { body: 'bytes' }),
  ask('putObject', 404, '/storage/buckets/nobody/objects/a', { body: 'bytes', headers: operator }),
  ask('putObject', 413, object, { body: huge, headers: operator }),
  ask('putObject', 415, object, { body: 'bytes', headers: { ...operator, 'content-encoding': 'br' } }),
  ask('getObject', 200, object, { headers: operator }),
  ask('getObject', 400, '/storage/buckets/own/objects/a%252f..', { headers: operator }),
  ask('getObject', 401, object),
  ask('getObject', 404, '/storage/buckets/own/objects/none', { headers: operator }),
  ask('getObject', 503, '/storage/buckets/away/objects/none', { headers: operator }),
  ask('putObject', 503, '/storage/buckets/away/objects/a', { body: 'bytes', headers: operator }),
  ask('removeBucket', 409, '/storage/buckets/used', { headers: operator }),
  ask('removeBucket', 403, '/storage/buckets/rescue', { headers: operator }),
  ask('removeBucket', 401, '/storage/buckets/own'),
  ask('removeBucket', 204, '/storage/buckets/own', { headers: operator }),
  ask('removeBucket', 404, '/storage/buckets/own', { headers: operator }),
  ask('listErrors', 200, '/storage/errors?since=1h', { headers: operator }),
  ask('listErrors', 400, '/storage/errors?since=yesterday', { headers: operator }),
  ask('listErrors', 401, '/storage/errors'),
  ask('bucketHealth', 200, '/storage/bucket-health', { headers: operator }),
  ask('bucketHealth', 400, '/storage/bucket-health?minutes=x', { headers: operator }),
  ask('bucketHealth', 401, '/storage/bucket-health'),
  ask('flushErrors', 200, '/storage/errors/flush', { headers: operator }),
  ask('flushErrors', 401, '/storage/errors/flush'),
  ask('compactErrors', 200, '/storage/errors/compact', { headers: operator }),
  ask('compactErrors', 401, '/storage/errors/compact'),
  ask('listTargets', 200, '/targets', { headers: operator }),
  ask('listTargets', 401, '/targets'),
  ask('listPromotions', 200, '/promotions', { headers: operator }),
  ask('listPromotions', 200, '/promotions?target=keep', { headers: operator }),
  ask('listPromotions', 404, '/promotions?target=nobody', { headers: operator }),
  ask('listPromotions', 400, '/promotions?target=a&target=b', { headers: operator }),
  ask('listPromotions', 401, '/promotions'),
]

type Described = { readonly content?: Record<string, { readonly schema: object }>; readonly headers?: object }
type Operation = { readonly operationId: string; readonly responses: Readonly<Record<string, Described>> }
type Document = {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

const store = await startStore(t)
const server = await startOperated(t, { store, storage: memoryStorage(), limits: { maxBodyBytes: 200_000 } })
const { body } = await server.ask('GET', '/openapi.json')
const document = body as unknown as Document

t.test('the document is valid OpenAPI 3.1', async t => {
  const { valid, errors } = await new Validator().validate(structuredClone(body))
  t.ok(valid, JSON.stringify(errors))
  t.equal(document.openapi, '3.1.0')
})

t.test('the published document is the one that a server with everything serves', async t => {
  const written = await readFile(new URL(`../../schemas/v${SCHEMA_VERSION}/openapi.json`, import.meta.url), 'utf8')
  t.equal(written, writtenDocument(), 'npm run docs writes it')
  t.same(JSON.parse(written), body)
})

t.test('a server without an operator token documents no operator routes', async t => {
  const plain = await startServer(t, { store })
  const served = (await (await fetch(`${plain.url}/openapi.json`)).json()) as Document
  t.notOk('/storage/buckets' in served.paths)
  t.ok('/api/ingest' in served.paths)
  t.equal((await fetch(`${plain.url}/storage/buckets`)).status, 404)
})

await arrange()

/** Parsing the document rounds 64-bit numbers. That is harmless, because they are only limits and not values. */
const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: true })
formats.default(ajv)
ajv.addSchema({ $id: 'document', components: document.components })

function problemsWith(schema: object, value: unknown): readonly unknown[] {
  const text = JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/')
  const check = ajv.compile(JSON.parse(text) as object)
  return check(value) ? [] : (check.errors ?? [])
}

t.test('promotions name their target and show which one is active', async t => {
  const { body } = await server.ask('GET', '/promotions?target=keep')
  t.match(body, {
    promotions: [
      { target: 'keep', active: false, rolled_back: { by: 'grace' } },
      { target: 'keep', active: true, by: 'ada', note: 'far away', rolled_back: null },
    ],
  })
  t.match((await server.ask('GET', '/targets')).body, { targets: [{ settings: 'promoted', promotion: { by: 'ada' } }] })
})

/** Answers covered by other tests: a shutdown, a damaged state, an incomplete body, an unreachable or older store. */
const ELSEWHERE = ['500', '503', '408', 'accept_change 409', 'withdraw_accepted_change 409']

t.test('every operation answers as documented', async t => {
  const operations = operationsById()
  const seen = new Set<string>()
  for (const { operation, status, path, body, headers } of CALLS)
    await t.test(`${operation} ${status}: ${path}`, async t => {
      const { method, responses } = operations.get(operation)!
      const url = server.url + path.replace('SLUG', await slug()).replace('ACCEPTANCE', await acceptedId())
      const response = await fetch(url, { method, ...(headers && { headers }), ...(body !== undefined && { body }) })
      t.equal(response.status, status)
      const described = responses[String(status)]
      t.ok(described, 'the document knows that answer')
      await conforms(t, response, described ?? {})
      seen.add(`${operation} ${status}`)
    })
  const all = [...operations].flatMap(([id, { responses }]) => Object.keys(responses).map(status => `${id} ${status}`))
  const unasked = all.filter(one => !seen.has(one) && !ELSEWHERE.some(status => one.endsWith(status)))
  t.same(unasked, [], 'every answer was asked for')
})

/** Creates a target that uses a bucket, an event, and a bucket that is unreachable because a file blocks its folder. */
async function arrange(): Promise<void> {
  const addedAt = new Date().toISOString()
  const away = { name: 'away', root: join(t.testdir({ away: '' }), 'away', 'x'), addedAt }
  const used = { name: 'used', root: 'memory:', addedAt }
  await changeRegistry(server.state, registry => ({
    ...registry,
    buckets: withEntry(withEntry(registry.buckets, 'used', used), 'away', away),
  }))
  const none = { secretEnv: undefined, rolePolicy: undefined, region: undefined, insecureLocal: false }
  const place = { address: 'used', identity: 'archive:used', bucket: 'used' }
  await promoteSome(
    await addTarget(server.state, { ...none, ...place, name: 'keep', kind: 'archive', isRequired: true }),
  )
  const error = new IngestError('target_unreachable', 'nobody there')
  server.journal.events.record({ subject: 'target', name: 'keep', operation: 'deliver', error })
}

/** Creates one active promotion and one that was rolled back. */
async function promoteSome(target: RegisteredTarget): Promise<void> {
  const { state } = server
  for (const smallRows of [1, 2]) {
    const trial = trialOf({ settings: { ...DEFAULTS, 'small-rows': smallRows }, target: target.identity })
    await recordTrial(state, trial)
    await promoteTrial(state, target, { trial: trial.id, by: 'ada', note: 'far away' })
  }
  await rollBackPromotion(state, target, { by: 'grace' })
}

function operationsById(): ReadonlyMap<string, Operation & { readonly method: string }> {
  const all = Object.values(document.paths).flatMap(path => Object.entries(path))
  return new Map(
    all.map(([method, operation]) => [operation.operationId, { ...operation, method: method.toUpperCase() }]),
  )
}

async function slug(): Promise<string> {
  const { groups } = (await (await fetch(`${server.url}/api/groups`)).json()) as { groups: { slug: string }[] }
  return groups[0]?.slug ?? ''
}

async function acceptedId(): Promise<string> {
  const { accepted } = (await (await fetch(server.url + ACCEPTED)).json()) as { accepted: { id: string }[] }
  return accepted[0]?.id ?? ''
}

type Check = Pick<typeof t, 'same' | 'ok' | 'equal'>

async function conforms(t: Check, response: Response, { content, headers = {} }: Described): Promise<void> {
  for (const name of Object.keys(headers)) t.ok(response.headers.has(name), name)
  const text = await response.text()
  if (content === undefined) return void t.equal(text, '')
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';')
  const schema = content[type]?.schema
  t.ok(schema, type)
  if (type === 'application/json') t.same(problemsWith(schema ?? {}, JSON.parse(text)), [])
}

type Asked = {
  /** Operation id in the OpenAPI document. */
  readonly operation: string
  readonly status: number
  readonly path: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}
