/** Types and builders for the OpenAPI description of a route: security, parameters, body and responses. */

import type { JsonSchema } from '../../contract/schema.js'
import { object, text, words } from './schema.js'

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

export type Operation = {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly [string]
  /** Absent when the route needs no token. */
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: {
    readonly required: true
    readonly description?: string
    readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>>
  }
  /** Responses by status. The document adds 500 and 503 to every operation. */
  readonly responses: Readonly<Record<string, Response>>
}

/** Operations by method and route, such as `GET /api/commits/:sha`. */
export type Operations = Readonly<Record<string, Operation>>

export function json(description: string, schema: JsonSchema): Response {
  return { description, content: { 'application/json': { schema } } }
}

/** A failure whose body holds only an error code. @param errors the possible codes */
export function failure(description: string, ...errors: readonly string[]): Response {
  return json(description, object({ error: words(...errors) }))
}

/** A failure whose body holds an error code and a message for people. */
export function explained(description: string, ...errors: readonly string[]): Response {
  return json(description, object({ error: words(...errors), message: text }))
}

export function inPath(name: string, description: string): Parameter {
  return { name, in: 'path', required: true, schema: text, description }
}

export function inQuery(name: string, schema: JsonSchema, description: string): Parameter {
  return { name, in: 'query', schema, description }
}

export const UNAUTHORIZED: Response = {
  ...failure('No token, or a wrong one', 'unauthorized'),
  headers: { 'WWW-Authenticate': { schema: text } },
}
