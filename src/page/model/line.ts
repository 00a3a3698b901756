/** A line of a chart. */

export type Values = readonly (number | null)[]

export type Line = {
  /** The same on every panel of the suite, but for `EVERY`. */
  readonly id: string
  readonly name: string
  /** What its colour says: the format. */
  readonly family: string
  /** What its dashes say: the engine, if there is one. */
  readonly variant: string
  /** A value for each commit. */
  readonly values: Values
}
