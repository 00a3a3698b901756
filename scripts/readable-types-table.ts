/** Generates the table of the column types that `copy` reads, for docs/data.md. */

import { READABLE_TYPES } from '../src/database/readable-types.js'

const FIELD_TYPES = [
  ['str', 'text'],
  ['i32', 'integer of 32 bits'],
  ['i64', 'integer of 64 bits'],
  ['f64', 'double'],
  ['[i64]', 'list of integers'],
  ['timestamp', 'time of a commit'],
] as const

export function readableTypesTable(): string {
  const databases = Object.entries(READABLE_TYPES)
  const rows = FIELD_TYPES.map(([type, name]) => [
    name,
    ...databases.map(([, types]) => types[type].map(one => `\`${one}\``).join(', ')),
  ])
  const head = ['field', ...databases.map(([name]) => name)]
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}
