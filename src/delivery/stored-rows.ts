/** Reads stored rows for `verify` from a database. `server-rows.ts` does the same through a server. */

import { kindIn, type Kind } from '../contract/kinds.js'
import { readableVersion } from '../database/contract-version.js'
import type { SqlSession } from '../database/sql.js'
import type { StoredRow } from './compare-row.js'

export interface StoredRows {
  /** The contract version of the tables. */
  version(): Promise<number>
  hasCommit(sha: string): Promise<boolean>
  /** The rows that have one of these ids. A row lacks the columns that its table lacks. */
  byId(kind: Kind, ids: readonly string[]): Promise<readonly StoredRow[]>
  /** One page of the ids of a commit's rows, in ascending order, starting after `after`. Empty after the last page. */
  idsOf(kind: Kind, sha: string, after: string | undefined): Promise<readonly string[]>
}

/** A target whose stored rows can be read. */
export type ReadableTarget = {
  /** Connects to the target. The caller closes the rows. */
  readonly openRows: (signal: AbortSignal) => Promise<OpenRows>
}

export type OpenRows = {
  readonly rows: StoredRows
  /** The target in words, without secrets. */
  readonly description: string
  readonly close: () => Promise<void>
}

const PAGE_ROWS = 10_000

export function databaseRows(session: SqlSession): StoredRows {
  return {
    version: () => readableVersion(session),
    async hasCommit(sha) {
      const rows = await session.query('SELECT commit_sha FROM public.commits WHERE commit_sha = $1', [sha])
      return rows.length > 0
    },
    byId: async (kind, ids) =>
      session.query<StoredRow>(selectRows(kindIn(await readableVersion(session), kind)), [ids]),
    async idsOf(kind, sha, after) {
      const rows = await session.query<{ id: string }>(selectIds(kind, after), [sha, ...(after ? [after] : [])])
      return rows.map(({ id }) => id)
    },
  }
}

/** SQL with one parameter: the ids. */
function selectRows({ table, fields }: Kind): string {
  const columns = ['measurement_id', ...fields.map(field => field.name)].map(name => `${name}::text AS ${name}`)
  return `SELECT ${columns.join(', ')} FROM public.${table} WHERE measurement_id = ANY($1::bigint[])`
}

function selectIds(kind: Kind, after: string | undefined): string {
  const from = after === undefined ? '' : 'AND measurement_id > $2::bigint'
  return `
    SELECT measurement_id::text AS id FROM public.${kind.table}
    WHERE commit_sha = $1::text ${from} ORDER BY measurement_id LIMIT ${PAGE_ROWS}`
}
