/** Types and helpers that all operator routes share. */

import type { FastifyRequest } from 'fastify'
import type { BodyBudgets } from '../receive-body.js'
import type { State } from '../../state/state.js'
import type { ServerJournal } from './server-journal.js'
import { IngestError, messageOf, type ErrorCode } from '../../errors.js'
import { redact } from '../../redact.js'

export type Operator = {
  readonly state: State
  readonly journal: ServerJournal
  /** Bearer token of the operator API, different from the token for writing. */
  readonly token: string
}

export type OperatorLimits = {
  readonly maxBodyBytes: number
  readonly stallMs: number
  readonly budgets: BodyBudgets
}

export type OperatorRoute = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  /** @param onBodyWanted called just before the body is read */
  readonly answer: (request: FastifyRequest, onBodyWanted: () => void) => Promise<OperatorAnswer>
}

/** A path parameter, which fastify has already decoded. */
export function pathParameterValue({ params }: FastifyRequest, name: string): string {
  return (params as Readonly<Record<string, string>>)[name] ?? ''
}

export type OperatorAnswer = {
  readonly status: number
  /** JSON, or the bytes of a bucket's object, which are sent unchanged. */
  readonly body?: object | Buffer
  readonly headers?: Readonly<Record<string, string>>
  /** Called when the answer was sent or its client is gone. */
  readonly release?: () => void
}

const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  usage: 400,
  protected: 403,
  not_found: 404,
  already_exists: 409,
  in_use: 409,
  storage_failed: 503,
  storage_denied: 503,
  state_conflict: 503,
  state_corrupt: 500,
  state_version: 500,
}

/** @returns undefined for an error that the operator cannot act on; the log has the reason */
export function failureAnswer(error: unknown): OperatorAnswer | undefined {
  if (!(error instanceof IngestError)) return undefined
  const status = STATUS[error.code]
  if (status === undefined) return undefined
  const code = error.code === 'usage' ? 'bad_request' : error.code
  return { status, body: { error: code, message: redact(messageOf(error)) } }
}
