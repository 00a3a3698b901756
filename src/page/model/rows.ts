/** Answers of the operator's routes as rows: one list in an object, or a list. */

export type Row = Readonly<Record<string, unknown>>

/** The first list of objects in an answer; none is no rows. */
export function rowsOf(answer: unknown): readonly Row[] {
  if (Array.isArray(answer)) return answer.filter(isRow)
  const list = isRow(answer) ? Object.values(answer).find(value => Array.isArray(value)) : undefined
  return Array.isArray(list) ? list.filter(isRow) : []
}

export function textOf(value: unknown): string {
  if (value === null || value === undefined) return '–'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  if (!isRow(value)) return JSON.stringify(value)
  // What a target lacks, or an event.
  if (typeof value['records'] === 'number') return `${value['records']} records`
  return textOf(value['message'] ?? JSON.stringify(value))
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
