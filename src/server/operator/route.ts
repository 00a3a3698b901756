/** Types and helpers that all operator routes share. */

import type { FastifyRequest } from 'fastify'
import type { State } from '../../state/state.js'
import type { OperatorAnswer } from './answer.js'
import type { ServerJournal } from './server-journal.js'

export type Operator = {
  readonly state: State
  readonly journal: ServerJournal
  /** Bearer token of the operator API, different from the token for writing. */
  readonly token: string
}

export type OperatorLimits = { readonly maxBodyBytes: number; readonly stallMs: number }

export type OperatorRoute = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  /** @param onBodyWanted called just before the body is read */
  readonly answer: (request: FastifyRequest, onBodyWanted: () => void) => Promise<OperatorAnswer>
}

/** A path parameter, which fastify has already decoded. */
export function pathPart({ params }: FastifyRequest, name: string): string {
  return (params as Readonly<Record<string, string>>)[name] ?? ''
}
