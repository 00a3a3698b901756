/** Names of groups: a slug that is safe in a URL, and a title for readers. */

import { CONTRACT } from '../../contract/kinds.js'
import { groupFields, type MeasurementGroup } from '../../database/queries/groups.js'

/**
 * The slug of a group: its kind and values, joined by dots, such as `query_measurement.tpch.~.10.nvme`. Letters, digits,
 * `-` and `_` are written unchanged, every other byte as `~` and two hex digits, and null as a lone `~`.
 */
export function groupSlug({ kind, values }: MeasurementGroup): string {
  return [kind.kind, ...values.map(slugPart)].join('.')
}

function slugPart(value: string | null): string {
  if (value === null) return '~'
  const escape = (byte: number): string => `~${byte.toString(16).toUpperCase().padStart(2, '0')}`
  return [...Buffer.from(value)].map(byte => (isUnescaped(byte) ? String.fromCharCode(byte) : escape(byte))).join('')
}

function isUnescaped(byte: number): boolean {
  return /[A-Za-z0-9_-]/.test(String.fromCharCode(byte))
}

/** Parses a slug. @returns undefined for text that `groupSlug` never produces */
export function parseGroupSlug(slug: string): MeasurementGroup | undefined {
  const [name, ...parts] = slug.split('.')
  const kind = CONTRACT.kinds.find(({ kind }) => kind === name)
  if (kind === undefined || parts.length !== groupFields(kind).length) return undefined
  const group = { kind, values: parts.map(parsePart) }
  return groupSlug(group) === slug ? group : undefined
}

function parsePart(part: string): string | null {
  if (part === '~') return null
  const bytes = part.replace(/~([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}

/** A readable name: `query_measurement tpch 10 nvme`. */
export function groupTitle({ kind, values }: MeasurementGroup): string {
  return [kind.kind, ...values.filter(value => value !== null && value !== '')].join(' ')
}

/** The columns of a group with their values. */
export function groupValues({ kind, values }: MeasurementGroup): Readonly<Record<string, string | null>> {
  return Object.fromEntries(groupFields(kind).map(({ name }, index) => [name, values[index] ?? null]))
}
