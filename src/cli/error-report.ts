/** What a failure ends with and how it reads as JSON, in a report or instead of one. */

import { EXIT, IngestError, messageOf } from '../errors.js'
import { redact } from '../sink/redact.js'

export function exitCodeOf(error: unknown): number {
  return error instanceof IngestError ? error.exitCode : EXIT.internal
}

export function errorReport(error: unknown): object {
  const code = error instanceof IngestError ? error.code : 'internal'
  const hint = error instanceof IngestError ? (error.hint ?? null) : null
  return { code, message: redact(messageOf(error)), hint: hint === null ? null : redact(hint) }
}

/** The document of a command that could not make its report. */
export function errorDocument(error: unknown): object {
  return { exit_code: exitCodeOf(error), error: errorReport(error) }
}
