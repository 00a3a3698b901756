/** A line of a chart. */

export type Values = readonly (number | null)[]

export type Line = {
  /** The same on every panel of the suite, but for `EVERY`. */
  readonly id: string
  readonly name: string
  /** The format, told by the colour. */
  readonly family: string
  /** The engine or the open mode, where there is one, told by the dashes. */
  readonly variant: string
  /** A value for each commit. */
  readonly values: Values
  /** Of sizes whose compression ratio is known, the ratio where `values` are bytes, and bytes where they are ratios. */
  readonly beside?: Values | undefined
}
