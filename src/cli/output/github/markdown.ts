/** Markdown for step summaries. Untrusted text is escaped, so that it never becomes markup. */

import type { Notes } from '../../../source/rejection.js'
import { EXIT, IngestError, messageOf } from '../../../errors.js'
import { redact } from '../../../redact.js'
import { oneLine } from '../../../visible-text.js'
import { count, warningLine } from '../report.js'

/** Maximum length of a text in characters. Longer texts are truncated to keep the summary short. */
const MAX_TEXT = 500

export function markdownText(value: string): string {
  const line = oneLine(redact(value))
  const short = line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT)}…` : line
  return short.replace(/[\\`*_{}[\]<>()#+!|~&@]/g, character => `&#${character.charCodeAt(0)};`)
}

/**
 * A Markdown table.
 * @param rows cells that are Markdown already
 * @param left number of left-aligned columns; the others are right-aligned because they hold numbers
 */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[], left = 1): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rule = head.map((_, column) => (column < left ? '---' : '---:'))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}

export function markdownHeading(exitCode: number, what: string): string {
  const sign = exitCode === EXIT.done ? '✅' : exitCode === EXIT.rejections ? '⚠️' : '❌'
  return `### ${sign} ${what}`
}

/** The summary of a command that failed with an error. */
export function failureSummary(command: string, exitCode: number, error: unknown): string {
  const hint = error instanceof IngestError && error.hint !== undefined ? [markdownText(error.hint)] : []
  const failed = markdownHeading(exitCode, `vortex-ingest ${markdownText(command)} failed (exit code ${exitCode})`)
  return [failed, markdownText(messageOf(error)), ...hint].join('\n\n')
}

/** The rejected lines, the first ones in full. */
export function rejectionTable({ rejections, rejected }: Notes): readonly string[] {
  if (rejected === 0) return []
  const rows = rejections.map(({ source, line, code, message }) => [
    markdownText(`${source}:${line}`),
    markdownText(code),
    markdownText(message),
  ])
  const more = rejected - rejections.length
  return [
    markdownTable(['rejected line', 'code', 'why'], rows, 3),
    ...(more > 0 ? [`and ${count(more)} more rejected lines`] : []),
  ]
}

export function warningList({ warnings, warned }: Notes): readonly string[] {
  if (warned === 0) return []
  const lines = warnings.map(warning => `- ${markdownText(warningLine(warning))}`)
  const more = warned - warnings.length
  return ['**Warnings**', [...lines, ...(more > 0 ? [`- and ${count(more)} more`] : [])].join('\n')]
}

const CUT = '\n\n…\n'

/** Truncates `text` after a line, so that it has at most `maxBytes` bytes. */
export function cutTo(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= maxBytes) return text
  const end = bytes.lastIndexOf('\n', Math.max(maxBytes - Buffer.byteLength(CUT), 0))
  return end <= 0 || maxBytes < Buffer.byteLength(CUT) ? '' : `${bytes.subarray(0, end).toString()}${CUT}`
}
