/** A line of a chart. */

export type Values = readonly (number | null)[]

export type Line = {
  /** The same on every panel of the group, except on `EVERY`. */
  readonly id: string
  readonly name: string
  /** The format. The colour of the line shows it. */
  readonly family: string
  /** The engine or the open mode, empty where there is neither. The dashes of the line show it. */
  readonly variant: string
  /** One value for each commit. */
  readonly values: Values
  /** For sizes with a known compression ratio: the ratio when `values` are bytes, the bytes when `values` are ratios. */
  readonly beside?: Values | undefined
}
