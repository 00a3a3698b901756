/** A line of a chart. */

export type Values = readonly (number | null)[]

export type Line = {
  /** The same on every panel of the group, except on `EVERY`. */
  readonly id: string
  readonly name: string
  /** The format, which determines the colour. */
  readonly family: string
  /** The engine or the open mode, which determines the dashes. Empty when there is none. */
  readonly variant: string
  /** One value for each commit. */
  readonly values: Values
  /** The other measure of a size whose compression ratio is known: the ratio when `values` are bytes, and vice versa. */
  readonly beside?: Values | undefined
}
