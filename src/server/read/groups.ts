/** Groups: the measurements that belong on one chart, by a name that fits in a URL. */

import { CONTRACT, dimensionsOf, type Field, type Kind } from '../../contract/kinds.js'

/** One kind of measurement of one dataset, as far as these columns tell datasets apart. */
const GROUP_COLUMNS = ['dataset', 'dataset_variant', 'scale_factor', 'storage', 'layout']

export type Group = {
  readonly kind: Kind
  /** In the order of `groupFields`. */
  readonly values: readonly (string | null)[]
}

export function groupFields(kind: Kind): readonly Field[] {
  return kind.fields.filter(({ name }) => GROUP_COLUMNS.includes(name))
}

/** What tells the series of a group apart: the dimensions that are left. */
export function seriesFields(kind: Kind): readonly Field[] {
  return dimensionsOf(kind).filter(({ name }) => name !== 'commit_sha' && !GROUP_COLUMNS.includes(name))
}

/**
 * The kind and the values, joined by dots: `query_measurement.tpch.~.10.nvme`. Letters, digits, `-` and `_` stand for
 * themselves, every other byte is `~` and two hex digits, and a lone `~` is null.
 */
export function slugOf({ kind, values }: Group): string {
  return [kind.kind, ...values.map(part)].join('.')
}

function part(value: string | null): string {
  if (value === null) return '~'
  const escape = (byte: number): string => `~${byte.toString(16).toUpperCase().padStart(2, '0')}`
  return [...Buffer.from(value)].map(byte => (isPlain(byte) ? String.fromCharCode(byte) : escape(byte))).join('')
}

function isPlain(byte: number): boolean {
  return /[A-Za-z0-9_-]/.test(String.fromCharCode(byte))
}

/** @returns undefined for what `slugOf` never gives */
export function groupOf(slug: string): Group | undefined {
  const [name, ...parts] = slug.split('.')
  const kind = CONTRACT.kinds.find(({ kind }) => kind === name)
  if (kind === undefined || parts.length !== groupFields(kind).length) return undefined
  const group = { kind, values: parts.map(valueOf) }
  return slugOf(group) === slug ? group : undefined
}

function valueOf(part: string): string | null {
  if (part === '~') return null
  const bytes = part.replace(/~([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}

/** For people: `query_measurement tpch 10 nvme`. */
export function nameOf({ kind, values }: Group): string {
  return [kind.kind, ...values.filter(value => value !== null && value !== '')].join(' ')
}

/**
 * Answers the group's columns and `series`, the number of its series. No parameters.
 * @param kind in the contract version of the database
 */
export function selectGroups(kind: Kind, limit: number): string {
  const columns = groupFields(kind).map(({ name }) => name)
  const all = [...columns, ...seriesFields(kind).map(({ name }) => name)].join(', ')
  const by = columns.join(', ')
  return `
    SELECT ${by}, count(*)::int AS series FROM (SELECT DISTINCT ${all} FROM public.${kind.table}) AS known
    GROUP BY ${by} ORDER BY ${by} LIMIT ${limit}`
}

/** The condition that rows of the group meet, written so that an index serves it. @param first number of its first parameter */
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
