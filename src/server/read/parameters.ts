/** Parses query parameters of read routes and reports invalid ones. */

import { isFullSha } from '../../contract/commit.js'

export class BadParameter extends Error {}

/** @throws {BadParameter} when the parameter is given more than once */
export function textParameter(query: unknown, name: string): string | undefined {
  const value = (query as Readonly<Record<string, unknown>>)[name]
  if (value === undefined || typeof value === 'string') return value
  throw new BadParameter(`${name} is given more than once`)
}

export type CountLimits = { readonly least: number; readonly most: number; readonly otherwise: number }

/** A whole number, clamped to its range. @throws {BadParameter} when the text is not a whole number */
export function countParameter(query: unknown, name: string, { least, most, otherwise }: CountLimits): number {
  const text = textParameter(query, name)
  if (text === undefined) return otherwise
  if (!/^-?\d{1,15}$/.test(text)) throw new BadParameter(`${name} must be a whole number`)
  return Math.min(most, Math.max(least, Number(text)))
}

/** @throws {BadParameter} when the text is not a measurement id */
export function idParameter(query: unknown, name: string): string | undefined {
  const text = textParameter(query, name)
  if (text !== undefined) assertId(name, text)
  return text
}

/** Measurement ids, separated by commas. @throws {BadParameter} for an invalid id or more than `most` ids */
export function idsParameter(query: unknown, name: string, most: number): readonly string[] | undefined {
  const ids = textParameter(query, name)?.split(',')
  if (ids !== undefined && ids.length > most)
    throw new BadParameter(`${name} takes at most ${most} ids, got ${ids.length}`)
  for (const id of ids ?? []) assertId(name, id)
  return ids
}

/** Full commit ids, separated by commas. @throws {BadParameter} for an invalid id or more than `most` ids */
export function shasParameter(query: unknown, name: string, most: number): readonly string[] | undefined {
  const shas = textParameter(query, name)?.split(',')
  if (shas !== undefined && shas.length > most)
    throw new BadParameter(`${name} takes at most ${most} commits, got ${shas.length}`)
  if (shas?.every(isFullSha) === false) throw new BadParameter(`${name} must be full commit ids`)
  return shas
}

/** The start of a commit id. @throws {BadParameter} when the text is no start of a commit id */
export function prefixParameter(query: unknown, name: string): string | undefined {
  const prefix = textParameter(query, name)
  if (prefix === undefined || /^[0-9a-f]{4,40}$/.test(prefix)) return prefix
  throw new BadParameter(`${name} must be 4 to 40 lowercase hex digits`)
}

function assertId(name: string, text: string): void {
  const isId = /^-?\d{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text)
  if (!isId) throw new BadParameter(`${name} must be a measurement_id`)
}

const AGE_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i

/**
 * An age (`90m`, `12h`, `30d`) or a time in RFC 3339.
 * @returns milliseconds since 1970
 * @throws {BadParameter} when the text is neither
 */
export function sinceParameter(query: unknown, name: string, now: number): number | undefined {
  const text = textParameter(query, name)
  if (text === undefined) return undefined
  const [, digits = '', unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  const unitMs = AGE_MS[unit]
  if (unitMs !== undefined) return now - Number(digits) * unitMs
  const time = RFC_3339.test(text) ? Date.parse(text) : NaN
  if (Number.isNaN(time)) throw new BadParameter(`${name} must be an age such as 12h, or a time in RFC 3339`)
  return time
}
