/** Groups: the measurements that share one chart, identified by a slug that is safe in a URL. */

import { CONTRACT, dimensionsOf, type Field, type Kind } from '../../contract/kinds.js'

/** A group is one kind of measurement with one value for each of these columns, as far as the kind has them. */
const GROUP_COLUMNS = ['dataset', 'dataset_variant', 'scale_factor', 'storage', 'layout']

export type Group = {
  readonly kind: Kind
  /** Values in the order of `groupFields`. */
  readonly values: readonly (string | null)[]
}

export function groupFields(kind: Kind): readonly Field[] {
  return kind.fields.filter(({ name }) => GROUP_COLUMNS.includes(name))
}

/** The dimensions that distinguish the series of a group: all that are neither the commit nor group columns. */
export function groupSeriesFields(kind: Kind): readonly Field[] {
  return dimensionsOf(kind).filter(({ name }) => name !== 'commit_sha' && !GROUP_COLUMNS.includes(name))
}

/**
 * The slug of a group: its kind and values, joined by dots, such as `query_measurement.tpch.~.10.nvme`. Letters, digits,
 * `-` and `_` are written unchanged, every other byte as `~` and two hex digits, and null as a lone `~`.
 */
export function formatSlug({ kind, values }: Group): string {
  return [kind.kind, ...values.map(escapePart)].join('.')
}

function escapePart(value: string | null): string {
  if (value === null) return '~'
  const escape = (byte: number): string => `~${byte.toString(16).toUpperCase().padStart(2, '0')}`
  return [...Buffer.from(value)].map(byte => (isUnescaped(byte) ? String.fromCharCode(byte) : escape(byte))).join('')
}

function isUnescaped(byte: number): boolean {
  return /[A-Za-z0-9_-]/.test(String.fromCharCode(byte))
}

/** Parses a slug. @returns undefined for text that `slugOf` never produces */
export function parseSlug(slug: string): Group | undefined {
  const [name, ...parts] = slug.split('.')
  const kind = CONTRACT.kinds.find(({ kind }) => kind === name)
  if (kind === undefined || parts.length !== groupFields(kind).length) return undefined
  const group = { kind, values: parts.map(unescapePart) }
  return formatSlug(group) === slug ? group : undefined
}

function unescapePart(part: string): string | null {
  if (part === '~') return null
  const bytes = part.replace(/~([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}

/** A readable name: `query_measurement tpch 10 nvme`. */
export function groupName({ kind, values }: Group): string {
  return [kind.kind, ...values.filter(value => value !== null && value !== '')].join(' ')
}

/**
 * Answers the group's columns and `series`, the number of its series. No parameters.
 * @param kind in the contract version of the database
 */
export function selectGroups(kind: Kind, limit: number): string {
  const columns = groupFields(kind).map(({ name }) => name)
  const all = [...columns, ...groupSeriesFields(kind).map(({ name }) => name)].join(', ')
  const by = columns.join(', ')
  return `
    SELECT ${by}, count(*)::int AS series FROM (SELECT DISTINCT ${all} FROM public.${kind.table}) AS known
    GROUP BY ${by} ORDER BY ${by} LIMIT ${limit}`
}

/**
 * The SQL condition for rows of a group, written so that an index can be used.
 * @param first number of the condition's first parameter
 */
export function inGroup({ kind, values }: Group, first: number): { readonly sql: string; readonly values: string[] } {
  const given: string[] = []
  const conditions = groupFields(kind).map(({ name }, index) => {
    const value = values[index] ?? null
    if (value === null) return `${name} IS NULL`
    given.push(value)
    return `${name} = $${first + given.length - 1}::text`
  })
  return { sql: conditions.join(' AND '), values: given }
}
