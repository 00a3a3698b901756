/** Charts without anything to draw. */

import type { Scale } from '../address.js'
import type { Line } from './line.js'

export type Choice = {
  /** All of the panel. */
  readonly all: readonly Line[]
  /** Those that have the words. */
  readonly found: readonly Line[]
  /** Those of them that are not hidden. */
  readonly drawn: readonly Line[]
  readonly scale: Scale
}

/** @returns undefined where there is something to draw */
export function whyEmpty({ all, found, drawn, scale }: Choice): string | undefined {
  if (all.length === 0) return 'Nothing was measured at these commits.'
  if (found.length === 0) return 'No line has these words.'
  if (drawn.length === 0) return found.length < all.length ? 'All of these lines are hidden.' : 'All lines are hidden.'
  const hasPlace = (value: number | null): boolean => value !== null && (scale === 'linear' || value > 0)
  return drawn.some(({ values }) => values.some(hasPlace)) ? undefined : 'These lines have no value that can be drawn.'
}
