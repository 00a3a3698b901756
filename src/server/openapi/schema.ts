/** Short builders for JSON Schemas. */

import type { JsonSchema } from '../../contract/schema.js'

export const text: JsonSchema = { type: 'string' }
export const whole: JsonSchema = { type: 'integer', minimum: 0 }
export const flag: JsonSchema = { type: 'boolean' }
export const time: JsonSchema = { type: 'string', format: 'date-time' }
export const texts: JsonSchema = { type: 'array', items: text }

/** An object with exactly these fields, all required. */
export function object(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false }
}

export function list(items: JsonSchema): JsonSchema {
  return { type: 'array', items }
}

export function words(...values: readonly string[]): JsonSchema {
  return { enum: values }
}

export function orNull(schema: JsonSchema): JsonSchema {
  return typeof schema['type'] === 'string' ? { ...schema, type: [schema['type'], 'null'] } : nullable(schema)
}

function nullable(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: 'null' }] }
}

/** A reference to a schema under `components`. */
export function named(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` }
}
