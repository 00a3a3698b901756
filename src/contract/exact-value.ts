/** JSON values that still know whether a number was written as an integer. */

/** Integer tokens are bigint; tokens with a fraction or an exponent, and `-0`, are numbers. Objects have no prototype. */
export type ExactValue = null | boolean | string | bigint | number | readonly ExactValue[] | ExactObject
export type ExactObject = { readonly [key: string]: ExactValue }

export function isExactObject(value: ExactValue | undefined): value is ExactObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The shortest text that reads back as the same double; String() alone drops the sign of -0. */
export function realText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}
