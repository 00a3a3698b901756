/** Responses of operator routes, including those for failures. */

import { IngestError, messageOf, type ErrorCode } from '../../errors.js'
import { redact } from '../../redact.js'

export type OperatorAnswer = {
  readonly status: number
  /** JSON, or the bytes of a bucket's object, which are sent unchanged. */
  readonly body?: object | Buffer
  readonly headers?: Readonly<Record<string, string>>
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
