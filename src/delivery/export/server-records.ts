/** The records of a server as the source of an export, commit by commit through its read API. */

import { COMMIT_FIELDS, isCommittedBetween, type Commit } from '../../contract/commit.js'
import { textOf, type ExactObject } from '../../contract/exact-value.js'
import { groupFields } from '../../database/queries/groups.js'
import { IngestError } from '../../errors.js'
import { openReadApi, type ReadApi, type ReadApiOptions } from '../read-api.js'
import {
  exportedKinds,
  exportedRows,
  type ExportedRecords,
  type ExportFilter,
  type RecordSource,
} from './record-source.js'

/** Number of commits that a server lists, the newest first. */
const MAX_COMMITS = 1_000
export const ROWS_PER_PAGE = 5_000

export type ServerRecords = RecordSource & { readonly description: string; readonly close: () => void }

/** A server has no snapshots: records of a push that runs at the same time may be missing. */
export async function serverRecords(options: ReadApiOptions, filter: ExportFilter): Promise<ServerRecords> {
  const api = await openReadApi(options)
  let listed: Promise<readonly Commit[]> | undefined
  const commits = (): Promise<readonly Commit[]> => (listed ??= listServerCommits(api, filter))
  const records = async function* (): AsyncGenerator<ExportedRecords> {
    const { group } = filter
    for (const kind of exportedKinds(filter))
      for (const { sha } of await commits()) {
        const found = await api.allMeasurements(kind, `commit=${sha}&limit=${ROWS_PER_PAGE}`)
        const names = group === undefined ? [] : groupFields(kind).map(({ name }) => name)
        const rows = found.filter(row => names.every((name, index) => (row[name] ?? null) === group!.values[index]))
        if (rows.length > 0) yield exportedRows(kind, rows)
      }
  }
  const commitPages = async function* (): AsyncGenerator<readonly Commit[]> {
    // A list of commits shortens their messages.
    for (const { sha } of await commits()) yield [await wholeCommit(api, sha)].flatMap(commit => commit ?? [])
  }
  return { records, commits: commitPages, description: api.description, close: () => api.close() }
}

/** The oldest first. @throws {IngestError} `usage` when the server may have more commits than it lists */
export async function listServerCommits(
  api: ReadApi,
  { commit, since, until }: Pick<ExportFilter, 'commit' | 'since' | 'until'>,
): Promise<readonly Commit[]> {
  if (commit !== undefined) {
    const found = await wholeCommit(api, commit)
    return found !== undefined && isCommittedBetween(found, { since, until }) ? [found] : []
  }
  const path = `/api/commits?n=${MAX_COMMITS}`
  const listed = api
    .objects(path, await api.get(path), 'commits')
    .map(toCommit)
    .toReversed()
  const [oldest] = listed
  if (listed.length === MAX_COMMITS && oldest !== undefined && isCommittedBetween(oldest, { since }))
    throw new IngestError('usage', `${api.description} lists only its newest ${MAX_COMMITS} commits`, {
      hint: `give a later --since than ${oldest.timestamp}, or --commit, or read its database with --postgres`,
    })
  return listed.filter(one => isCommittedBetween(one, { since, until }))
}

/** A commit with its whole texts. */
export async function wholeCommit(api: ReadApi, sha: string): Promise<Commit | undefined> {
  const found = await api.get(`/api/commits/${sha}`)
  return found && toCommit(found)
}

function toCommit(entry: ExactObject): Commit {
  const fields = COMMIT_FIELDS.map(field => [field, textOf(entry[field === 'sha' ? 'commit_sha' : field]) ?? ''])
  return Object.fromEntries(fields) as Commit
}
