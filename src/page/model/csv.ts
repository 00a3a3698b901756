/** The drawn series as comma-separated values (RFC 4180), one row for each visible commit. */

import type { HistoryCommit } from '../../server/read/answers.js'
import type { Unit } from '../format.js'
import type { Series } from './series.js'

export type CsvOptions = {
  readonly commits: readonly HistoryCommit[]
  readonly series: readonly Series[]
  readonly unit: Unit
  readonly span: { readonly first: number; readonly last: number } | undefined
}

export function chartCsv({ commits, series, unit, span }: CsvOptions): string {
  const { first, last } = span ?? { first: 0, last: commits.length - 1 }
  const head = ['commit', 'time', 'message', 'author', ...series.map(({ name }) => `${name} (${unit})`)]
  const rows = commits.slice(first, last + 1).map(({ sha, timestamp, message, author }, index) => {
    const values = series.map(({ values }) => String(values[first + index] ?? ''))
    return [...[sha, timestamp, message, author].map(textCell), ...values]
  })
  return [head.map(textCell), ...rows].map(row => `${row.join(',')}\r\n`).join('')
}

/** Quotes a text. A text that a spreadsheet would run as a formula begins with an apostrophe. */
function textCell(text: string): string {
  const inert = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert
}
