/** Parameters of read routes: text from outside to values, or what is wrong with it. */

export class BadParameter extends Error {}

/** @throws {BadParameter} when it stands twice */
export function textParameter(query: unknown, name: string): string | undefined {
  const value = (query as Readonly<Record<string, unknown>>)[name]
  if (value === undefined || typeof value === 'string') return value
  throw new BadParameter(`${name} is given more than once`)
}

export type Range = { readonly least: number; readonly most: number; readonly otherwise: number }

/** A whole number, moved into its range. @throws {BadParameter} when it is none */
export function countParameter(query: unknown, name: string, { least, most, otherwise }: Range): number {
  const text = textParameter(query, name)
  if (text === undefined) return otherwise
  if (!/^-?\d{1,15}$/.test(text)) throw new BadParameter(`${name} must be a whole number`)
  return Math.min(most, Math.max(least, Number(text)))
}

/** @throws {BadParameter} when it is no id */
export function idParameter(query: unknown, name: string): string | undefined {
  const text = textParameter(query, name)
  if (text !== undefined) assertId(name, text)
  return text
}

/** Ids with commas between them. @throws {BadParameter} when one is none, or there are more than `most` */
export function idsParameter(query: unknown, name: string, most: number): readonly string[] | undefined {
  const ids = textParameter(query, name)?.split(',')
  if (ids !== undefined && ids.length > most) throw new BadParameter(`${name} must be at most ${most}`)
  for (const id of ids ?? []) assertId(name, id)
  return ids
}

function assertId(name: string, text: string): void {
  const isId = /^-?\d{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text)
  if (!isId) throw new BadParameter(`${name} must be a measurement_id`)
}
