/** Pieces of a step summary. Whatever came from outside is text in it, never markup. */

import { IngestError, messageOf } from '../../errors.js'
import { redact } from '../../sink/redact.js'
import { oneLine } from '../report.js'

/** Longer ones are cut: a summary is for a look. */
const MAX_TEXT = 500

export function text(value: string): string {
  const line = oneLine(redact(value))
  const short = line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT)}…` : line
  return short.replace(/[\\`*_{}[\]<>()#+!|~&@]/g, character => `&#${character.charCodeAt(0)};`)
}

/** `rows` are finished Markdown; all but the first `left` columns are numbers. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], left = 1): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rule = head.map((_, column) => (column < left ? '---' : '---:'))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}

export function heading(exitCode: number, what: string): string {
  return `### ${exitCode === 0 ? '✅' : '❌'} ${what}`
}

/** What the page says where the command could not do its work at all. */
export function failureSummary(command: string, exitCode: number, error: unknown): string {
  const hint = error instanceof IngestError && error.hint !== undefined ? [text(error.hint)] : []
  const failed = heading(exitCode, `vortex-ingest ${text(command)} failed (exit code ${exitCode})`)
  return [failed, text(messageOf(error)), ...hint].join('\n\n')
}
