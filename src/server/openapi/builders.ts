/** Types and builders for the OpenAPI description of a route: security, parameters, body and responses. */

import type { JsonSchema } from '../../contract/schema.js'

export const string: JsonSchema = { type: 'string' }
export const integer: JsonSchema = { type: 'integer' }
export const naturalNumber: JsonSchema = { type: 'integer', minimum: 0 }
export const boolean: JsonSchema = { type: 'boolean' }
export const dateTime: JsonSchema = { type: 'string', format: 'date-time' }
export const strings: JsonSchema = { type: 'array', items: string }

/** An object with exactly these fields, all required. */
export function object(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false }
}

export function array(items: JsonSchema): JsonSchema {
  return { type: 'array', items }
}

export function oneOf(...values: readonly string[]): JsonSchema {
  return { enum: values }
}

export function nullable(schema: JsonSchema): JsonSchema {
  if (typeof schema['type'] === 'string') return { ...schema, type: [schema['type'], 'null'] }
  return { anyOf: [schema, { type: 'null' }] }
}

/** A reference to a schema under `components`. */
export function ref(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` }
}

export type Parameter = {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly schema: JsonSchema
  readonly required?: boolean
  readonly description?: string
}

export type Response = {
  readonly description: string
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>
  readonly headers?: Readonly<Record<string, { readonly schema: JsonSchema; readonly description?: string }>>
}

export type JsonBody = {
  readonly required: true
  readonly description?: string
  readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>>
}

export type Operation = {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly [string]
  /** Absent when the route needs no token. */
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: JsonBody
  /** Responses by status. The document adds 500 and 503 to every operation. */
  readonly responses: Readonly<Record<string, Response>>
}

/** Operations by method and route, such as `GET /api/commits/:sha`. */
export type Operations = Readonly<Record<string, Operation>>

export function jsonResponse(description: string, schema: JsonSchema): Response {
  return { description, content: { 'application/json': { schema } } }
}

/** A failure whose body holds only an error code. @param errors the possible codes */
export function errorResponse(description: string, ...errors: readonly string[]): Response {
  return jsonResponse(description, object({ error: oneOf(...errors) }))
}

/** A failure whose body holds an error code and a message for people. */
export function messageResponse(description: string, ...errors: readonly string[]): Response {
  return jsonResponse(description, object({ error: oneOf(...errors), message: string }))
}

export function pathParameter(name: string, description: string): Parameter {
  return { name, in: 'path', required: true, schema: string, description }
}

export function queryParameter(name: string, schema: JsonSchema, description: string): Parameter {
  return { name, in: 'query', schema, description }
}

export const UNAUTHORIZED: Response = {
  ...errorResponse('The token is missing or wrong', 'unauthorized'),
  headers: { 'WWW-Authenticate': { schema: string } },
}
