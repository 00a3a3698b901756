/** Generates the tables of docs/contract.md from the contract: every field of every kind. */

import { CONTRACT, type Field, type Kind } from '../src/contract/kinds.js'

export function contractTables(): string {
  return CONTRACT.kinds.map(section).join('\n')
}

function section(kind: Kind): string {
  const head = ['| field | type | id | meaning | unit | since |', '|---|---|---|---|---|---|']
  const rows = kind.fields.map(field => `| ${cells(field).join(' | ')} |`)
  return [`### \`${kind.kind}\`, table \`${kind.table}\``, '', kind.description, '', ...head, ...rows, ''].join('\n')
}

function cells({ name, type, optional, description, unit = '', since, ...field }: Field): string[] {
  return [`\`${name}\``, `${type}${optional ? '?' : ''}`, idCell(field), description, unit, String(since)]
}

/** The cell that says whether a field is part of the measurement id. */
function idCell({ dimension, conditional }: Pick<Field, 'dimension' | 'conditional'>): string {
  if (conditional !== undefined) return `unless \`${conditional}\``
  return dimension ? 'yes' : ''
}
