/** JSON values that distinguish numbers written as integers from other numbers. */

/**
 * A JSON value. Numbers written as integers are bigint. Numbers with a fraction or an exponent, and `-0`, are number.
 * Objects have no prototype.
 */
export type ExactValue = null | boolean | string | bigint | number | readonly ExactValue[] | ExactObject
export type ExactObject = { readonly [key: string]: ExactValue }

export function isExactObject(value: ExactValue | undefined): value is ExactObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The shortest text that parses to the same double. String() would lose the sign of -0. */
export function realText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

/** A value as the text that Postgres would return. */
export function textOf(value: ExactValue | undefined): string | null {
  if (value === undefined || value === null) return null
  if (Array.isArray(value)) return `{${value.join(',')}}`
  return typeof value === 'number' ? realText(value) : (value as string | bigint).toString()
}
