/** The history of a group: one value for each of its series at each of the newest commits. */

import type { Kind } from '../../contract/kinds.js'
import { readStoredCommits } from '../../database/queries/commits.js'
import {
  chartField,
  groupSeriesFields,
  hasUncompressed,
  readHistory,
  type Group,
  type SeriesHistory,
} from '../../database/queries/groups.js'
import type { TextRow } from '../../database/queries/rows.js'
import type { Store } from '../store/store.js'
import { groupSlug, groupTitle, groupValues } from './groups.js'
import type { HistoryAnswer, HistoryCommit } from './history-answer.js'

/** More series than a person can tell apart. With 1,000 commits, the answer holds a million numbers. */
const MAX_SERIES = 1_000

/** @returns a `HistoryAnswer` as JSON, with its values digit for digit */
export async function historyJson(store: Store, group: Group, newest: number): Promise<string> {
  const commits = (await store.read(session => readStoredCommits(session, { newest }))).toReversed()
  const shas = commits.map(({ commit_sha }) => commit_sha ?? '')
  const { kind } = group
  const series = await store.read(session => readHistory(session, group, { shas, limit: MAX_SERIES + 1 }))
  const head = {
    ...{ slug: groupSlug(group), name: groupTitle(group), kind: kind.kind, unit: unitOf(kind) },
    ...groupValues(group),
    dimensions: groupSeriesFields(kind).map(({ name }) => name),
    commits: commits.map(historyCommit),
    more: series.length > MAX_SERIES,
  }
  const isSized = hasUncompressed(kind)
  const entries = series.slice(0, MAX_SERIES).map(one => seriesJson(one, shas.length, isSized))
  return `${JSON.stringify(head).slice(0, -1)},"series":[${entries.join(',')}]}`
}

function unitOf(kind: Kind): HistoryAnswer['unit'] {
  return chartField(kind).name === 'value_ns' ? 'ns' : 'bytes'
}

function seriesJson({ key, points }: SeriesHistory, length: number, isSized: boolean): string {
  const values = new Array<string>(length).fill('null')
  const uncompressed = new Array<string>(length).fill('null')
  for (const point of points.split(',')) {
    const [place = '', value = 'null', before = 'null'] = point.split(' ')
    values[Number(place)] = value
    uncompressed[Number(place)] = before
  }
  const sizes = isSized ? `,"uncompressed_bytes":[${uncompressed.join(',')}]` : ''
  return `{"key":${JSON.stringify(key)},"values":[${values.join(',')}]${sizes}}`
}

function historyCommit({ commit_sha, timestamp, message, author_name, url }: TextRow): HistoryCommit {
  const [subject = ''] = (message ?? '').split('\n', 1)
  return {
    ...{ sha: commit_sha ?? '', timestamp: timestamp ?? '', message: subject.slice(0, MAX_SUBJECT) },
    ...{ author: author_name ?? '', url: url ?? '' },
  }
}

const MAX_SUBJECT = 200
