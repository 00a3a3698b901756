/** Schemas that operations refer to: those of the contract, generated from its tables, and those of the operator routes. */

import { CONTRACT, contractOf, type Contract, type Field, type Kind } from '../../contract/kinds.js'
import { publishedDialect, publishedSchemas, type JsonSchema } from '../../contract/schema.js'
import { flag, list, named, object, orNull, text, texts, time, whole, words } from './schema.js'

/** @param version the contract version of the server; returned rows have the fields of all versions */
export function componentSchemas(version: number): Readonly<Record<string, JsonSchema>> {
  return { ...contractSchemas(contractOf(version)), ...readSchemas(CONTRACT), ...OPERATOR_SCHEMAS }
}

/** The published schemas, with references to files replaced by references to components. */
function contractSchemas(contract: Contract): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(
    Object.entries(publishedSchemas(contract)).map(([name, { $schema: _, $id: __, ...schema }]) => [
      name,
      withReferences(schema) as JsonSchema,
    ]),
  )
}

function withReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withReferences)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key === '$ref' ? [key, named(String(inner).replace(/\.json$/, ''))['$ref']] : [key, withReferences(inner)],
    ),
  )
}

function readSchemas({ kinds }: Contract): Readonly<Record<string, JsonSchema>> {
  return {
    measurement: { oneOf: kinds.map(measurementSchema) },
    stored_commit: object({
      ...{ commit_sha: text, timestamp: text, message: orNull(text), author_name: orNull(text) },
      ...{ author_email: orNull(text), committer_name: orNull(text), committer_email: orNull(text) },
      ...{ tree_sha: text, url: text },
    }),
  }
}

/**
 * A column that a later contract version added is absent when the database lacks it. In rows that are older than the
 * column, it is null or its default.
 * @see docs/server.md, "Reading"
 */
function measurementSchema({ kind, fields, hasCommitTimestamp }: Kind): JsonSchema {
  const { properties, ...schema } = object({
    kind: { const: kind },
    measurement_id: { type: 'string', pattern: '^-?\\d{1,19}$' },
    ...Object.fromEntries(fields.map(field => [field.name, columnSchema(field)])),
    ...(hasCommitTimestamp && { commit_timestamp: orNull(text) }),
  })
  const added = fields.filter(({ since }) => since > 1).map(({ name }) => name)
  const required = (schema['required'] as readonly string[]).filter(name => !added.includes(name))
  return { ...schema, properties, required }
}

function columnSchema(field: Field): JsonSchema {
  const schema = publishedDialect(field)
  return field.since > 1 && field.conditional === undefined ? orNull(schema) : schema
}

const SORT = words('target', 'bucket')

const PROMOTION = {
  ...{ id: text, at: time, by: text, note: orNull(text), trial: text },
  ...{ settings: { type: 'object', additionalProperties: { type: 'number' } } },
  rolled_back: orNull(object({ at: time, by: text })),
}

const OPERATOR_SCHEMAS = {
  promotion: object(PROMOTION),
  bucket: object({
    ...{ name: text, backend: words('state', 'local', 's3', 'memory'), root: text, built_in: flag, used_by: texts },
  }),
  event: object({
    ...{ id: text, time, sort: SORT, name: text, operation: text, code: text, message: text },
    ...{ attempt: { type: 'integer', minimum: 1 }, run: text },
  }),
  health: object({
    ...{ name: text, sort: SORT, state: words('ok', 'recovered', 'failing', 'unknown') },
    ...{ errors: whole, last_success: orNull(time), last_error: orNull(named('event')) },
  }),
  lag: object({ records: whole, bytes: whole, commits: whole, oldest: orNull(time) }),
  target: object({
    ...{ name: text, kind: words('http', 'postgres', 'embedded', 'archive'), address: text, identity: text },
    ...{ secret_env: orNull(text), required: flag, bucket: orNull(text), insecure_local: flag },
    ...{ role_policy: orNull(text), region: orNull(text), added_at: time, lag: orNull(named('lag')) },
    ...{ last_success: orNull(time), last_error: orNull(named('event')), settings: words('defaults', 'promoted') },
    promotion: orNull(named('promotion')),
  }),
  unregistered_target: object({ identity: text, kind: text, lag: orNull(named('lag')) }),
  target_promotion: object({ target: text, active: flag, ...PROMOTION }),
  journal_size: object({ objects: whole, events: whole }),
  problems: list(text),
} satisfies Readonly<Record<string, JsonSchema>>
