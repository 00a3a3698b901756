/** Places of change points among the commits of a chart. */

import type { ChangeEntry, HistoryCommit } from '../../server/read/answers.js'
import type { SeriesMark } from '../chart/chart-options.js'

/** @param changes the changes of a panel, by the id of the series */
export function changeMarks(
  commits: readonly HistoryCommit[],
  changes: ReadonlyMap<string, readonly ChangeEntry[]>,
): ReadonlyMap<string, readonly SeriesMark[]> {
  const places = new Map(commits.map(({ sha }, at) => [sha, at]))
  return new Map(
    [...changes].map(([id, own]) => [
      id,
      own.flatMap(({ commit, old, new: now, accepted }) => {
        const at = places.get(commit)
        return at === undefined ? [] : [{ at, ratio: now / old, accepted }]
      }),
    ]),
  )
}
