/** JSON form of an error, inside a report or in place of one. */

import { exitCodeOf, IngestError, messageOf } from '../../errors.js'
import { redact } from '../../redact.js'
import type { ErrorReport } from '../../reports/records.js'

export function errorReport(error: unknown): ErrorReport['error'] {
  const code = error instanceof IngestError ? error.code : 'internal'
  const hint = error instanceof IngestError ? (error.hint ?? null) : null
  return { code, message: redact(messageOf(error)), hint: hint === null ? null : redact(hint) }
}

/** The JSON document that a failed command prints in place of its report. */
export function errorDocument(error: unknown): ErrorReport {
  return { exit_code: exitCodeOf(error), error: errorReport(error) }
}
