/** Explains why a chart has nothing to draw. */

import type { Scale } from '../address.js'
import type { Line } from './line.js'

export type Choice = {
  /** All lines of the panel. */
  readonly all: readonly Line[]
  /** The lines that match the search words. */
  readonly found: readonly Line[]
  /** The matching lines that are not hidden. */
  readonly drawn: readonly Line[]
  readonly scale: Scale
}

/** @returns the reason, or undefined when there is something to draw */
export function whyEmpty({ all, found, drawn, scale }: Choice): string | undefined {
  if (all.length === 0) return 'Nothing was measured at these commits.'
  if (found.length === 0) return 'No line has these words.'
  if (drawn.length === 0) return found.length < all.length ? 'All of these lines are hidden.' : 'All lines are hidden.'
  const hasPlace = (value: number | null): boolean => value !== null && (scale === 'linear' || value > 0)
  return drawn.some(({ values }) => values.some(hasPlace)) ? undefined : 'These lines have no value that can be drawn.'
}
