/** The history of a group: one value for each of its series at each of the newest commits. */

import { kindIn, type Field, type Kind } from '../../contract/kinds.js'
import { readableVersion } from '../../database/contract-version.js'
import type { Store } from '../store/store.js'
import { groupFields, inGroup, groupName, groupSeriesFields, formatSlug, type Group } from './groups.js'
import type { HistoryAnswer, HistoryCommit } from './answers.js'
import { findCommits } from './queries.js'
import type { TextRow } from './row-json.js'

/** More series than a person can tell apart. With 1,000 commits, the answer holds a million numbers. */
const MAX_SERIES = 1_000

/** @returns a `HistoryAnswer` as JSON, with its values digit for digit */
export async function historyJson(store: Store, group: Group, newest: number): Promise<string> {
  const commits = (await findCommits(store, { newest })).toReversed()
  const shas = commits.map(({ commit_sha }) => commit_sha ?? '')
  const { kind } = group
  const rows = await store.read(async session => {
    const known = kindIn(await readableVersion(session), kind)
    const { text, values } = selectHistory({ ...group, kind: known })
    return session.query<TextRow>(text, [shas, ...values])
  })
  const head = {
    ...{ slug: formatSlug(group), name: groupName(group), kind: kind.kind, unit: kindUnit(kind) },
    ...Object.fromEntries(groupFields(kind).map(({ name }, index) => [name, group.values[index] ?? null])),
    dimensions: groupSeriesFields(kind).map(({ name }) => name),
    commits: commits.map(historyCommit),
    more: rows.length > MAX_SERIES,
  }
  const series = rows.slice(0, MAX_SERIES).map(row => seriesJson(kind, row, shas.length))
  return `${JSON.stringify(head).slice(0, -1)},"series":[${series.join(',')}]}`
}

/**
 * The database gathers the points of each series, so that a row for each series is read and not one for each measurement. A
 * point is the place of its commit, the value and, where it is known, the size before compression.
 * @param group with its kind in the contract version of the database
 */
function selectHistory(group: Group): { readonly text: string; readonly values: readonly string[] } {
  const { kind } = group
  const by = groupSeriesFields(kind).map(({ name }) => name)
  const { sql, values } = inGroup(group, 2)
  const uncompressed = hasUncompressed(kind) ? ` || coalesce(' ' || ${UNCOMPRESSED}, '')` : ''
  const text = `
    SELECT ${by.map(name => `${name}::text AS ${name}`).join(', ')},
      string_agg((place - 1) || ' ' || ${valueField(kind).name}${uncompressed}, ',') AS points
    FROM public.${kind.table} JOIN unnest($1::text[]) WITH ORDINALITY AS chosen (sha, place) ON commit_sha = sha
    WHERE ${sql} GROUP BY ${by.map(name => `${kind.table}.${name}`).join(', ')}
    ORDER BY ${by.map(name => `${kind.table}.${name}`).join(', ')} LIMIT ${MAX_SERIES + 1}`
  return { text, values }
}

function valueField({ fields }: Kind): Field {
  return fields.find(({ name }) => name.startsWith('value_'))!
}

function kindUnit(kind: Kind): HistoryAnswer['unit'] {
  return valueField(kind).name === 'value_ns' ? 'ns' : 'bytes'
}

const UNCOMPRESSED = 'uncompressed_bytes'

function hasUncompressed({ fields }: Kind): boolean {
  return fields.some(({ name }) => name === UNCOMPRESSED)
}

/** @param kind in the newest contract version; a dimension that an older database lacks has its default */
function seriesJson(kind: Kind, row: TextRow, length: number): string {
  const key = groupSeriesFields(kind).map(({ name, conditional }) => row[name] ?? conditional ?? '')
  const values = new Array<string>(length).fill('null')
  const uncompressed = new Array<string>(length).fill('null')
  for (const point of (row['points'] ?? '').split(',')) {
    const [place = '', value = 'null', before = 'null'] = point.split(' ')
    values[Number(place)] = value
    uncompressed[Number(place)] = before
  }
  const sizes = hasUncompressed(kind) ? `,"${UNCOMPRESSED}":[${uncompressed.join(',')}]` : ''
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
