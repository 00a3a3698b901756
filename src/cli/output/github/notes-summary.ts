/** Rejections and warnings in a step summary. */

import type { Notes } from '../../../delivery/notes.js'
import { count, warningLine } from '../report.js'
import { table, text } from './markdown.js'

export function rejectionTable({ rejections, rejected }: Notes): readonly string[] {
  if (rejected === 0) return []
  const rows = rejections.map(({ source, line, code, message }) => [
    text(`${source}:${line}`),
    text(code),
    text(message),
  ])
  const more = rejected - rejections.length
  return [
    table(['rejected line', 'code', 'why'], rows, 3),
    ...(more > 0 ? [`and ${count(more)} more rejected lines`] : []),
  ]
}

export function warningList({ warnings, warned }: Notes): readonly string[] {
  if (warned === 0) return []
  const lines = warnings.map(warning => `- ${text(warningLine(warning))}`)
  const more = warned - warnings.length
  return ['**Warnings**', [...lines, ...(more > 0 ? [`- and ${count(more)} more`] : [])].join('\n')]
}
