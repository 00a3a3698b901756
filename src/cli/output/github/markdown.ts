/** Markdown for step summaries. Untrusted text is escaped, so that it never becomes markup. */

import { IngestError, messageOf } from '../../../errors.js'
import { redact } from '../../../redact.js'
import { oneLine } from '../report.js'

/** Maximum length of a text in characters. Longer texts are truncated to keep the summary short. */
const MAX_TEXT = 500

export function text(value: string): string {
  const line = oneLine(redact(value))
  const short = line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT)}…` : line
  return short.replace(/[\\`*_{}[\]<>()#+!|~&@]/g, character => `&#${character.charCodeAt(0)};`)
}

/**
 * A Markdown table.
 * @param rows cells that are Markdown already
 * @param left number of left-aligned columns; the others are right-aligned because they hold numbers
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[], left = 1): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rule = head.map((_, column) => (column < left ? '---' : '---:'))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}

export function heading(exitCode: number, what: string): string {
  return `### ${exitCode === 0 ? '✅' : '❌'} ${what}`
}

/** The summary of a command that failed with an error. */
export function failureSummary(command: string, exitCode: number, error: unknown): string {
  const hint = error instanceof IngestError && error.hint !== undefined ? [text(error.hint)] : []
  const failed = heading(exitCode, `vortex-ingest ${text(command)} failed (exit code ${exitCode})`)
  return [failed, text(messageOf(error)), ...hint].join('\n\n')
}
