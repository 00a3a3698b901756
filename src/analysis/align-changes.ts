/** Aligns change points of different series that may have the same cause, so that the cause is reported at one commit. */

import { findChangePoints, type AnalysedSeries, type ChangePoint } from './history-changes.js'

/** Finds the change points of all series, and aligns them. */
export function findAlignedChanges(all: readonly AnalysedSeries[], threshold: number): readonly ChangePoint[] {
  return alignChangePoints(findChangePoints(all, threshold), all)
}

/**
 * Processes change points in the order of their p-values. Moves each one to the nearest commit that was already chosen for another
 * series, if this commit lies between its `earliest` and `latest` and the series was measured there.
 */
function alignChangePoints(points: readonly ChangePoint[], all: readonly AnalysedSeries[]): readonly ChangePoint[] {
  const taken = new Set<number>()
  const surestFirst = [...points.keys()].sort(
    (a, b) => points[a]!.p - points[b]!.p || size(points[b]!) - size(points[a]!),
  )
  const aligned = [...points]
  for (const index of surestFirst) {
    const point = points[index]!
    const { values } = all[point.series]!
    const near = [...taken].filter(commit => commit >= point.earliest && commit <= point.latest && values[commit]! > 0)
    const [commit = point.commit] = near.sort((a, b) => distance(a, point) - distance(b, point) || a - b)
    aligned[index] = { ...point, commit, before: measuredBefore(values, commit) }
    taken.add(commit)
  }
  return aligned
}

function size({ oldLevel, newLevel }: ChangePoint): number {
  return Math.abs(Math.log(newLevel / oldLevel))
}

function distance(commit: number, point: ChangePoint): number {
  return Math.abs(commit - point.commit)
}

function measuredBefore(values: Float64Array, commit: number): number {
  let before = commit - 1
  while (before > 0 && !(values[before]! > 0)) before--
  return before
}
