/** The least and the greatest value of all lines at each commit, which determine the range of the axis. */

import type { Line } from './line.js'

export type Extent = { readonly least: (number | null)[]; readonly greatest: (number | null)[] }

/** @param commits number of commits; both values are null at a commit where no line has one */
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
