/** Reads the history of the store for the analysis of changes, in small steps so that writers are served in between. */

import { setImmediate } from 'node:timers/promises'
import { seriesDimensions, type SeriesIdentity } from '../../analysis/series.js'
import { readStoredCommits, toStoredCommit } from '../../database/queries/commits.js'
import { readGroupHistory, type SeriesHistory } from '../../database/queries/group-history.js'
import type { MainLine } from '../../database/queries/main-line.js'
import { groupFields, groupSeriesFields, type MeasurementGroup } from '../../database/queries/groups.js'
import type { HistoryReader, SeriesValues } from '../../delivery/commit-reader.js'
import { commitFinder } from '../../delivery/find-commit.js'
import type { Store } from '../store/store.js'
import { parseGroupSlug } from './groups.js'
import { listGroups } from './pages.js'

const MAX_SERIES_PER_GROUP = 1_000
/** Values of all series together. Further groups are left out. */
const MAX_VALUES = 600_000

export type StoreReader = HistoryReader & {
  /** Whether series were left out, because there are too many. */
  readonly hasMore: () => boolean
}

export function storeReader(store: Store, { stored: [newest] }: MainLine): StoreReader {
  let hasMore = false
  return {
    ...commitFinder(async filter =>
      (await store.read(session => readStoredCommits(session, filter))).map(toStoredCommit),
    ),
    mainHead: async () => newest,
    async history(shas) {
      const { series, more } = await readSeries(store, shas)
      hasMore = more
      return series
    },
    hasMore: () => hasMore,
  }
}

async function readSeries(
  store: Store,
  shas: readonly string[],
): Promise<{ readonly series: readonly SeriesValues[]; readonly more: boolean }> {
  const series: SeriesValues[] = []
  const options = { shas, limit: MAX_SERIES_PER_GROUP, withRuns: false, withPlatform: true }
  for (const { slug } of await listGroups(store)) {
    const group = parseGroupSlug(slug)
    if (group === undefined) continue
    const found = await store.read(session => readGroupHistory(session, group, options))
    if ((series.length + found.series.length) * shas.length > MAX_VALUES) return { series, more: true }
    for (const one of found.series) series.push(toSeriesValues(group, one, shas.length))
    await setImmediate()
  }
  return { series, more: false }
}

/** Every value has the machine of the newest one, because the analysis asks for no other. */
function toSeriesValues(
  { kind, values: given }: MeasurementGroup,
  { key, points, platform }: SeriesHistory,
  length: number,
): SeriesValues {
  const values = new Float64Array(length).fill(NaN)
  for (const point of points.split(',')) {
    const [place, value] = point.split(' ')
    values[Number(place)] = Number(value)
  }
  const known = new Map<string, string | null>([
    ...groupFields(kind).map(({ name }, index) => [name, given[index] ?? null] as const),
    ...groupSeriesFields(kind).map(({ name }, index) => [name, key[index] ?? null] as const),
  ])
  const dimensions = seriesDimensions(kind).map(({ name }) => known.get(name) ?? null)
  return { kind, dimensions, values, platforms: new Array<string | null>(length).fill(platform) }
}

/** The group of a series, and the values that distinguish it there. */
export function placeInGroup({ kind, dimensions }: SeriesIdentity): {
  readonly group: MeasurementGroup
  readonly key: readonly string[]
} {
  const known = new Map(seriesDimensions(kind).map(({ name }, index) => [name, dimensions[index] ?? null]))
  const values = groupFields(kind).map(({ name }) => known.get(name) ?? null)
  return { group: { kind, values }, key: groupSeriesFields(kind).map(({ name }) => known.get(name) ?? '') }
}
