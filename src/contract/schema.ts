/** JSON Schema 2020-12 made from the contract table: one form to publish, one for the validators of this program. */

import { COMMIT_FIELDS } from './commit.js'
import type { Contract, Field, FieldType, Kind } from './kinds.js'

export type JsonSchema = { readonly [keyword: string]: unknown }

/** Identifier of a published schema; only a name, nothing is fetched from there. */
function schemaId(version: number, name: string): string {
  return `https://vortex-ingest.dev/schemas/v${version}/${name}.json`
}

/**
 * Writes a field as JSON Schema. The published form is plain JSON Schema with descriptions. The program's own form asks
 * for the token (`1.0` is no integer), which plain JSON Schema cannot: `token` is a keyword that the generator gives to ajv.
 */
export type Dialect = (field: DialectField) => JsonSchema
type DialectField = Pick<Field, 'type' | 'optional'> & Partial<Pick<Field, 'description' | 'unit' | 'since'>>

const PUBLISHED: Readonly<Record<FieldType, JsonSchema>> = {
  // Postgres text cannot hold U+0000.
  str: { type: 'string', pattern: '^[^\\u0000]*$' },
  i32: { type: 'integer', minimum: -2147483648, maximum: 2147483647 },
  i64: { type: 'integer', minimum: -9223372036854775808n, maximum: 9223372036854775807n },
  f64: { type: 'number' },
  '[i64]': {
    type: 'array',
    items: { type: 'integer', minimum: -9223372036854775808n, maximum: 9223372036854775807n },
  },
}

export const publishedDialect: Dialect = ({ type, optional, description, unit, since = 1 }) => {
  const schema = PUBLISHED[type]
  const nullable = optional ? { ...schema, type: [schema['type'], 'null'] } : schema
  if (description === undefined) return nullable
  const version = since === 1 ? '' : ` Since contract version ${since}.`
  return { description: `${description}${unit === undefined ? '' : ` Unit: ${unit}.`}${version}`, ...nullable }
}

export const tokenDialect: Dialect = ({ type, optional: nullable }) => {
  if (type === '[i64]') return { type: 'array', items: { token: 'i64' } }
  if (type === 'str') return { type: nullable ? ['string', 'null'] : 'string' }
  return { token: nullable ? `${type}?` : type }
}

/** The shape of one record: fields and types, no record rules. */
export function recordShape({ kind, fields }: Kind, dialect: Dialect): JsonSchema {
  return {
    type: 'object',
    properties: Object.fromEntries([
      ['kind', { const: kind }],
      ...fields.map(field => [field.name, dialect(field)] as const),
    ]),
    required: ['kind', ...fields.filter(field => !field.optional).map(field => field.name)],
    additionalProperties: false,
  }
}

/** The shape of an envelope around records that are checked one by one. */
export function envelopeShape(records: JsonSchema, dialect: Dialect): JsonSchema {
  const all = (names: readonly string[], schema: JsonSchema): [string, JsonSchema][] =>
    names.map(name => [name, schema])
  // No database holds the run, so its strings are any string, U+0000 included.
  const run = all(['benchmark_id', 'started_at'], { type: 'string' })
  return object([
    ['run_meta', object([...run, ['schema_version', dialect({ type: 'i32', optional: false })]])],
    ['commit', object(all(COMMIT_FIELDS, dialect({ type: 'str', optional: false })))],
    ['records', { type: 'array', items: records }],
  ])
}

/** Every published file of a contract version, by its name. */
export function publishedSchemas({ version, kinds }: Contract): Readonly<Record<string, JsonSchema>> {
  const head = (name: string, title: string): JsonSchema => ({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: schemaId(version, name),
    title,
  })
  const records = kinds.map(kind => {
    const { kind: name, description } = kind
    const shape = { ...recordShape(kind, publishedDialect), ...recordRules(kind) }
    return [name, { ...head(name, `One ${name} record`), description, ...shape }]
  })
  return {
    ...(Object.fromEntries(records) as Record<string, JsonSchema>),
    record: { ...head('record', 'One emitter record'), oneOf: kinds.map(({ kind }) => ({ $ref: `${kind}.json` })) },
    envelope: {
      ...head('envelope', 'Body of POST /api/ingest'),
      ...withVersion(envelopeShape({ $ref: 'record.json' }, publishedDialect), version),
    },
  }
}

/** @see contract section 1, "Rules beyond types" */
function recordRules({ oneOf, together, fields }: Kind): JsonSchema {
  const rules = Object.entries(oneOf).map(([name, values]) => ({ properties: { [name]: { enum: values } } }))
  const members = fields.filter(field => together.includes(field.name))
  return rules.length + members.length === 0 ? {} : { allOf: [...rules, ...allOrNone(members)] }
}

function allOrNone(members: readonly Field[]): JsonSchema[] {
  if (members.length === 0) return []
  const every = (schema: JsonSchema): JsonSchema => Object.fromEntries(members.map(({ name }) => [name, schema]))
  return [
    {
      oneOf: [
        { required: members.map(({ name }) => name), properties: every({ type: 'integer' }) },
        { properties: every({ type: 'null' }) },
      ],
    },
  ]
}

function withVersion(envelope: JsonSchema, version: number): JsonSchema {
  const properties = envelope['properties'] as Record<string, JsonSchema>
  const runMeta = properties['run_meta'] as { properties: Record<string, JsonSchema> }
  const pinned = { ...runMeta, properties: { ...runMeta.properties, schema_version: { const: version } } }
  return { ...envelope, properties: { ...properties, run_meta: pinned } }
}

function object(properties: readonly [string, JsonSchema][]): JsonSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required: properties.map(([name]) => name),
    additionalProperties: false,
  }
}

/** Schema text with every integer bound digit for digit (JSON.stringify refuses bigint, a double would round it). */
export function schemaText(schema: JsonSchema): string {
  const text = JSON.stringify(schema, (_key, value: unknown) => (typeof value === 'bigint' ? `#${value}#` : value), 2)
  return `${text.replace(/"#(-?\d+)#"/g, '$1')}\n`
}
