/** Schemas that operations refer to: those of the contract, generated from its tables, and those of the operator routes. */

import { CONTRACT, contractOf, type Contract, type Field, type Kind } from '../../contract/kinds.js'
import { PII_MODES } from '../../contract/pii-mode.js'
import { publishedDialect, publishedSchemas, type JsonSchema } from '../../contract/schema.js'
import { boolean, array, ref, object, nullable, string, strings, dateTime, naturalNumber, oneOf } from './builders.js'

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
      key === '$ref' ? [key, ref(String(inner).replace(/\.json$/, ''))['$ref']] : [key, withReferences(inner)],
    ),
  )
}

const ACT = { by: string, at: dateTime }

/** A delivery as in the report of `lineage`. */
const DELIVERY = {
  ...{ id: string, stored: nullable(naturalNumber), benchmark_id: nullable(string), producer: nullable(string) },
  ...{ run: nullable(naturalNumber), attempt: nullable(naturalNumber), run_url: nullable(string) },
  ...{ produced_at: nullable(dateTime), applied_at: nullable(dateTime), source_count: naturalNumber },
  sources: array(object({ name: string, hash: nullable(string), first_line: naturalNumber, last_line: naturalNumber })),
  records: nullable({ type: 'object', additionalProperties: naturalNumber }),
  ...{ tool_version: nullable(string), contract_version: nullable(naturalNumber), target: nullable(string) },
}

function readSchemas({ kinds }: Contract): Readonly<Record<string, JsonSchema>> {
  return {
    accepted_change: object({
      ...{ id: string, commit: string, series: strings, note: string, ...ACT },
      withdrawn: nullable(object(ACT)),
    }),
    delivery: object(DELIVERY),
    measurement: { oneOf: kinds.map(measurementSchema) },
    stored_commit: object({
      ...{ commit_sha: string, timestamp: string, message: nullable(string), author_name: nullable(string) },
      ...{ author_email: nullable(string), committer_name: nullable(string), committer_email: nullable(string) },
      ...{ tree_sha: string, url: string },
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
    ...(hasCommitTimestamp && { commit_timestamp: nullable(string) }),
  })
  const added = fields.filter(({ since }) => since > 1).map(({ name }) => name)
  const required = (schema['required'] as readonly string[]).filter(name => !added.includes(name))
  return { ...schema, properties, required }
}

function columnSchema(field: Field): JsonSchema {
  const schema = publishedDialect(field)
  return field.since > 1 && field.conditional === undefined ? nullable(schema) : schema
}

const SUBJECT = oneOf('target', 'bucket')

const PROMOTION = {
  ...{ id: string, at: dateTime, by: string, note: nullable(string), trial: string },
  ...{ settings: { type: 'object', additionalProperties: { type: 'number' } } },
  rolled_back: nullable(object({ at: dateTime, by: string })),
}

const OPERATOR_SCHEMAS = {
  promotion: object(PROMOTION),
  bucket: object({
    ...{
      name: string,
      backend: oneOf('state', 'local', 's3', 'memory'),
      root: string,
      built_in: boolean,
      used_by: strings,
    },
  }),
  event: object({
    ...{ id: string, time: dateTime, subject: SUBJECT, name: string, operation: string, code: string, message: string },
    ...{ attempt: { type: 'integer', minimum: 1 }, run: string },
  }),
  health: object({
    ...{ name: string, subject: SUBJECT, state: oneOf('ok', 'recovered', 'failing', 'unknown') },
    failure: nullable(oneOf('down', 'refuses')),
    ...{ errors: naturalNumber, last_success: nullable(dateTime), last_error: nullable(ref('event')) },
  }),
  lag: object({
    ...{ records: naturalNumber, bytes: naturalNumber, commits: naturalNumber, oldest: nullable(dateTime) },
    ...{ pruned_records: naturalNumber, pruned_commits: naturalNumber },
  }),
  target: object({
    ...{ name: string, kind: oneOf('server', 'postgres', 'embedded', 'archive'), address: string, identity: string },
    ...{ secret_env: nullable(string), required: boolean, bucket: nullable(string), insecure_local: boolean },
    ...{ role_policy: nullable(string), region: nullable(string), pii: oneOf(...PII_MODES), added_at: dateTime },
    lag: nullable(ref('lag')),
    ...{
      last_success: nullable(dateTime),
      last_error: nullable(ref('event')),
      settings: oneOf('defaults', 'promoted'),
    },
    promotion: nullable(ref('promotion')),
  }),
  unregistered_target: object({ identity: string, kind: string, lag: nullable(ref('lag')) }),
  target_promotion: object({ target: string, active: boolean, ...PROMOTION }),
  journal_size: object({ objects: naturalNumber, events: naturalNumber }),
  problems: array(string),
} satisfies Readonly<Record<string, JsonSchema>>
