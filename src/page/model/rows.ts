/** Converts responses of operator routes to table rows. A response is a list or an object with one list in it. */

export type Row = Readonly<Record<string, unknown>>

/** The objects of the first list in a response. Empty when there is no list. */
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
  // The value is a target's lag or an event.
  if (typeof value['records'] === 'number') return `${value['records']} records`
  return textOf(value['message'] ?? JSON.stringify(value))
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
