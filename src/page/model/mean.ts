/** The mean of many lines, which shows how a format performs over all queries of a group. */

import type { Line, Values } from './line.js'

/**
 * The geometric mean of the lines at each commit. A line without a value at a commit must not shift the mean. Each value
 * is therefore taken as a multiple of its line's median, and the mean of these multiples is scaled by the geometric mean
 * of the medians. Values that are not positive are left out, because they have no logarithm.
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
