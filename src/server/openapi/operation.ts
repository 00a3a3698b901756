/** What is said of a route: who may ask, with what, and what is answered. */

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
  /** Absent: everybody may ask. */
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: {
    readonly required: true
    readonly description?: string
    readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>>
  }
  /** By status. What every route may answer (500, 503) is added to it. */
  readonly responses: Readonly<Record<string, Response>>
}

/** By method and route, as they are registered. */
export type Operations = Readonly<Record<string, Operation>>

export function json(description: string, schema: JsonSchema): Response {
  return { description, content: { 'application/json': { schema } } }
}

/** @param errors the codes there are */
export function failure(description: string, ...errors: readonly string[]): Response {
  return json(description, object({ error: words(...errors) }))
}

/** The same, with words for people. */
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
