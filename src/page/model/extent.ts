/** The least and the greatest of all lines at each commit: what an axis must have room for. */

import type { Line } from './line.js'

export type Extent = { readonly least: (number | null)[]; readonly greatest: (number | null)[] }

/** @param commits how many there are; where none of the lines has a value neither is one */
export function extentOf(lines: readonly Pick<Line, 'values'>[], commits: number): Extent {
  const least = new Array<number | null>(commits).fill(null)
  const greatest = new Array<number | null>(commits).fill(null)
  for (const { values } of lines)
    for (let at = 0; at < commits; at++) {
      const value = values[at] ?? null
      if (value === null) continue
      least[at] = Math.min(least[at] ?? value, value)
      greatest[at] = Math.max(greatest[at] ?? value, value)
    }
  return { least, greatest }
}
