/** Generates JSON Schema 2020-12 from the contract, in one form to publish and one for this program's validators. */

import { COMMIT_FIELDS } from './commit.js'
import type { Contract, Field, FieldType, Kind } from './kinds.js'

export type JsonSchema = { readonly [keyword: string]: unknown }

/** The `$id` of a published schema. It is only a name; nothing is fetched from there. */
function schemaId(version: number, name: string): string {
  return `https://vortex-ingest.dev/schemas/v${version}/${name}.json`
}

/**
 * Converts a field to JSON Schema. The published dialect is plain JSON Schema with descriptions. The internal dialect
 * checks how a number
 * was written (`1.0` is not an integer), which plain JSON Schema cannot. It uses the custom ajv keyword `token`.
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

/** The schema of one record: fields and types, without the record rules. */
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

/** The schema of an envelope around the given schema of its records. */
export function envelopeShape(records: JsonSchema, dialect: Dialect): JsonSchema {
  const all = (names: readonly string[], schema: JsonSchema): [string, JsonSchema][] =>
    names.map(name => [name, schema])
  // The run metadata is not stored in a database, so its strings may contain U+0000.
  const run = all(['benchmark_id', 'started_at'], { type: 'string' })
  return object([
    ['run_meta', object([...run, ['schema_version', dialect({ type: 'i32', optional: false })]])],
    ['commit', object(all(COMMIT_FIELDS, dialect({ type: 'str', optional: false })))],
    ['records', { type: 'array', items: records }],
  ])
}

/** All published schemas of a contract version, by file name without extension. */
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

/**
 * The record rules as JSON Schema.
 * @see contract section 1, "Rules beyond types"
 */
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

/** Serialises a schema with exact integers. JSON.stringify refuses bigint, and a double would round large bounds. */
export function schemaText(schema: JsonSchema): string {
  const text = JSON.stringify(schema, (_key, value: unknown) => (typeof value === 'bigint' ? `#${value}#` : value), 2)
  return `${text.replace(/"#(-?\d+)#"/g, '$1')}\n`
}
