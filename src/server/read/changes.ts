/** `GET /api/changes`: the change points of all groups, with a piece of the history around each. */

import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { appliesTo, type AcceptedChange } from '../../analysis/accepted-change.js'
import type { ChangePoint } from '../../analysis/history-changes.js'
import { seriesDimensions } from '../../analysis/series.js'
import { readAcceptedChanges } from '../../database/queries/accepted-changes.js'
import { readStoredCommits } from '../../database/queries/commits.js'
import { hasRuns, readGroupHistory, type SeriesHistory } from '../../database/queries/group-history.js'
import { groupFields, groupSeriesFields, type MeasurementGroup } from '../../database/queries/groups.js'
import type { Store } from '../store/store.js'
import { analyse } from './analyse.js'
import { cacheAnswers } from './answer-cache.js'
import type { ChangeEntry, ChangesAnswer } from './answers.js'
import { groupSlug, parseGroupSlug } from './groups.js'
import { historyCommit, kindUnit } from './history.js'
import { listGroups } from './pages.js'
import type { ReadRouteOptions } from './routes.js'

/** The newest commits are analysed. */
const COMMITS = 300
const MAX_SERIES_PER_GROUP = 1_000
/** Values of all analysed series together. Further groups are left out. */
const MAX_VALUES = 600_000
/** The largest changes are answered. */
const MAX_CHANGES = 300
/** Number of measured commits on each side of a change whose values are answered. */
const AROUND = 20
/** The smallest ratio of two levels that counts as a change. */
const THRESHOLD = 1.02

export function addChangesRoute(app: FastifyInstance, { store, memory, writes, now }: ReadRouteOptions): void {
  const find = async (): Promise<string> => {
    const share = await memory.take()
    try {
      return JSON.stringify(await readChanges(store))
    } finally {
      share.release()
    }
  }
  const changes = cacheAnswers(find, { writes, now, most: 1 })
  app.get('/api/changes', async (_request, reply) => {
    // Requests that wait for the same analysis hold no memory meanwhile.
    const answer = await changes('all')
    return memory.send(reply, async () => answer)
  })
}

type ReadSeries = { readonly group: MeasurementGroup; readonly key: readonly string[]; readonly values: Float64Array }

async function readChanges(store: Store): Promise<ChangesAnswer> {
  const commits = (await store.read(session => readStoredCommits(session, { newest: COMMITS }))).toReversed()
  const shas = commits.map(({ commit_sha }) => commit_sha ?? '')
  const { series, more } = await readSeries(store, shas)
  const tasks = series.map(({ group, values }) => ({ values, machine: hasRuns(group.kind) ? 'all' : undefined }))
  const points = series.length === 0 ? [] : await analyse({ series: tasks, threshold: THRESHOLD })
  const accepted = await store.read(readAcceptedChanges)
  const largest = points.toSorted((one, other) => size(other) - size(one)).slice(0, MAX_CHANGES)
  const used = [...new Set(largest.map(({ commit }) => commit))].sort((one, other) => other - one)
  return {
    commits: used.map(index => historyCommit(commits[index]!)),
    changes: largest.map(point => changeEntry(point, series[point.series]!, { shas, accepted })),
    ...{ analysed: shas.length, series: series.length, more: more || largest.length < points.length },
  }
}

/** The values of all series, group by group, so that writers are served in between. */
async function readSeries(
  store: Store,
  shas: readonly string[],
): Promise<{ readonly series: readonly ReadSeries[]; readonly more: boolean }> {
  const series: ReadSeries[] = []
  const options = { shas, limit: MAX_SERIES_PER_GROUP, withRuns: false }
  for (const { slug } of await listGroups(store)) {
    const group = parseGroupSlug(slug)
    if (group === undefined) continue
    const found = await store.read(session => readGroupHistory(session, group, options))
    if ((series.length + found.series.length) * shas.length > MAX_VALUES) return { series, more: true }
    for (const one of found.series) series.push({ group, key: one.key, values: valuesOf(one, shas.length) })
    await setImmediate()
  }
  return { series, more: false }
}

function valuesOf({ points }: SeriesHistory, length: number): Float64Array {
  const values = new Float64Array(length).fill(NaN)
  for (const point of points.split(',')) {
    const [place, value] = point.split(' ')
    values[Number(place)] = Number(value)
  }
  return values
}

function size({ oldLevel, newLevel }: ChangePoint): number {
  return Math.abs(Math.log(newLevel / oldLevel))
}

type Known = { readonly shas: readonly string[]; readonly accepted: readonly AcceptedChange[] }

function changeEntry(point: ChangePoint, one: ReadSeries, { shas, accepted }: Known): ChangeEntry {
  const { group, key, values } = one
  const { commit, before, oldLevel, newLevel, q } = point
  const measured = [...values.keys()].filter(index => values[index]! > 0)
  const at = measured.indexOf(commit)
  const shown = measured.slice(Math.max(0, at - AROUND), at + AROUND + 1)
  return {
    ...{ commit: shas[commit]!, before: shas[before]!, slug: groupSlug(group), unit: kindUnit(group.kind) },
    ...{ dimensions: groupSeriesFields(group.kind).map(({ name }) => name), key, old: oldLevel, new: newLevel, q },
    ...{ values: shown.map(index => values[index]!), at: shown.indexOf(commit) },
    accepted: findAccepted(point, one, { shas, accepted })?.note ?? null,
  }
}

/** As more commits are measured, the likeliest commit of a change may move a little, so its neighbours count too. */
function findAccepted(
  { earliest, latest }: ChangePoint,
  { group: { kind, values }, key }: ReadSeries,
  { shas, accepted }: Known,
): AcceptedChange | undefined {
  const near = new Set(shas.slice(Math.max(0, earliest - 1), latest + 2))
  const known = new Map<string, string | null>([
    ...groupFields(kind).map(({ name }, index) => [name, values[index] ?? null] as const),
    ...groupSeriesFields(kind).map(({ name }, index) => [name, key[index] ?? null] as const),
  ])
  const dimensions = seriesDimensions(kind).map(({ name }) => known.get(name) ?? null)
  return accepted.find(one => near.has(one.commit) && appliesTo(one, { kind, dimensions }))
}
