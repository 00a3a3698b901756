/** `GET /api/changes`: the change points of all groups, with a piece of the history around each. */

import type { FastifyInstance } from 'fastify'
import type { ChangePoint } from '../../analysis/history-changes.js'
import { readAcceptedChanges } from '../../database/queries/accepted-changes.js'
import { readStoredCommits } from '../../database/queries/commits.js'
import type { MainLine } from '../../database/queries/main-line.js'
import { groupSeriesFields } from '../../database/queries/groups.js'
import { analyseHistory } from '../../delivery/analyse-history.js'
import { toFoundChange, type AnalysedHistory } from '../../delivery/found-changes.js'
import type { Store } from '../store/store.js'
import { analyse } from './analyse.js'
import { cacheAnswers } from './answer-cache.js'
import type { ChangeEntry, ChangesAnswer, HistoryCommit } from './answers.js'
import { groupSlug } from './groups.js'
import { historyCommit, kindUnit } from './history.js'
import type { ReadRouteOptions } from './routes.js'
import { placeInGroup, storeReader } from './store-reader.js'

/** Number of stored commits that are analysed, from the newest. */
const COMMITS = 300
/** The largest changes are answered. */
const MAX_CHANGES = 300
/** Number of measured commits on each side of a change whose values are answered. */
const AROUND = 20
/** The smallest ratio of two levels that counts as a change. */
const THRESHOLD = 1.02

export function addChangesRoute(
  app: FastifyInstance,
  { store, memory, writes, now, mainLine }: ReadRouteOptions,
): void {
  const find = async (): Promise<string> => {
    const share = await memory.take()
    try {
      return JSON.stringify(await readChanges(store, await mainLine(COMMITS)))
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

/** The server has no repository, so it knows only the parents that are stored. */
async function readChanges(store: Store, line: MainLine): Promise<ChangesAnswer> {
  const reader = storeReader(store, line)
  const analysis = await analyseHistory(reader, {
    lookUp: async () => undefined,
    readHistory: async () => ({ ...line, source: line.isComplete ? 'database' : 'time' }),
    find: (series, threshold) => analyse({ series, threshold }),
    ...{ maxMeasured: COMMITS, threshold: THRESHOLD },
  })
  if (analysis === undefined) return { commits: [], changes: [], analysed: 0, series: 0, more: false }
  const { history, stored, series, points } = analysis
  const known = { shas: history.shas, stored, series, accepted: await store.read(readAcceptedChanges) }
  const largest = points.toSorted((one, other) => size(other) - size(one)).slice(0, MAX_CHANGES)
  const used = [...new Set(largest.map(({ commit }) => commit))].sort((one, other) => other - one)
  return {
    commits: await readCommits(
      store,
      used.map(index => stored[index]!.sha),
    ),
    changes: largest.map(point => changeEntry(point, known)),
    ...{ analysed: stored.length, series: series.length, more: reader.hasMore() || largest.length < points.length },
  }
}

/** The commits with their authors and addresses, in the given order. */
async function readCommits(store: Store, shas: readonly string[]): Promise<readonly HistoryCommit[]> {
  const rows = await store.read(session => readStoredCommits(session, { shas }))
  const commits = new Map(rows.map(row => [row['commit_sha'], historyCommit(row)]))
  return shas.flatMap(sha => commits.get(sha) ?? [])
}

function size({ oldLevel, newLevel }: ChangePoint): number {
  return Math.abs(Math.log(newLevel / oldLevel))
}

function changeEntry(point: ChangePoint, known: AnalysedHistory): ChangeEntry {
  const { commit, before, oldLevel, newLevel, q } = point
  const { kind, dimensions, values } = known.series[point.series]!
  const { group, key } = placeInGroup({ kind, dimensions })
  const measured = [...values.keys()].filter(index => values[index]! > 0)
  const at = measured.indexOf(commit)
  const shown = measured.slice(Math.max(0, at - AROUND), at + AROUND + 1)
  return {
    ...{ commit: known.stored[commit]!.sha, before: known.stored[before]!.sha, slug: groupSlug(group) },
    ...{ unit: kindUnit(kind), dimensions: groupSeriesFields(kind).map(({ name }) => name), key },
    ...{ old: oldLevel, new: newLevel, q, values: shown.map(index => values[index]!), at: shown.indexOf(commit) },
    accepted: toFoundChange(point, known).accepted?.note ?? null,
  }
}
