/** One line for many: how a format did over all queries of a suite. */

import type { Line, Values } from './line.js'

/**
 * The geometric mean of some lines at each commit. A line that misses a commit must not move the mean, so each counts as
 * a multiple of its own median; the mean of those multiples is put at the height of the geometric mean of the medians.
 * Values that are not positive have no logarithm and are left out.
 */
export function meanLine(lines: readonly Line[]): Line {
  const logs = lines.map(({ values }) => values.map(logOf)).filter(values => values.some(value => value !== null))
  const heights = logs.map(median)
  const height = average(heights)
  const commits = lines[0]?.values.length ?? 0
  const values = Array.from({ length: commits }, (_, at) => {
    const moves = logs.flatMap((values, index) =>
      typeof values[at] === 'number' ? [values[at] - heights[index]!] : [],
    )
    return moves.length === 0 ? null : Math.exp(height + average(moves))
  })
  return { ...lines[0]!, values }
}

function logOf(value: number | null): number | null {
  return value !== null && value > 0 ? Math.log(value) : null
}

function median(values: Values): number {
  const known = values.filter(value => value !== null).sort((a, b) => a - b)
  const middle = known.length / 2
  return (known[Math.ceil(middle) - 1]! + known[Math.floor(middle)]!) / 2
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
