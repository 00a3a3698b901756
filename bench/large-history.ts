/** Fills a Postgres with a long history: many query series at many commits, with the ids that a push would give them. */

import { wasmHash64 } from '../src/contract/hash64.js'
import { CONTRACT } from '../src/contract/kinds.js'
import { measurementId } from '../src/contract/measurement-id.js'
import type { PostgresSession } from '../src/database/postgres/connect.js'

export type LargeHistory = { readonly commits: number; readonly series: number }

const DATASETS = ['tpch', 'tpcds', 'clickbench', 'fineweb', 'statpopgen']
const QUERIES = CONTRACT.kinds.find(({ kind }) => kind === 'query_measurement')!
/** Series of each group: there are ten groups, one for each dataset on each storage. */
export const GROUPS = 2 * DATASETS.length
export const LARGE_GROUP = 'query_measurement.tpch.~.10.nvme'

const COLUMNS = [
  ...['measurement_id', 'commit_sha', 'dataset', 'scale_factor', 'query_idx', 'storage', 'engine', 'format'],
  ...['value_ns', 'all_runtimes_ns', 'env_triple', 'commit_timestamp'],
]
const BATCH_COMMITS = 20

/** Inserts the rows in the order of their commits, as pushes would, with indexes that are built at the end. */
export async function fillLargeHistory(session: PostgresSession, { commits, series }: LargeHistory): Promise<void> {
  const hash = await wasmHash64()
  const indexes = await dropIndexes(session)
  await session.execute(
    `INSERT INTO commits (commit_sha, timestamp, message, author_name, tree_sha, url)
     SELECT md5(c::text) || '00000000', timestamptz '2020-01-01Z' + c * interval '1 hour', 'Commit ' || c, 'A', '', ''
     FROM generate_series(1, ${commits}) AS c`,
  )
  const stored = await session.query<{ sha: string; time: string }>(
    'SELECT commit_sha AS sha, timestamp::text AS time FROM commits ORDER BY timestamp',
  )
  for (let from = 0; from < stored.length; from += BATCH_COMMITS) {
    const lines: string[] = []
    for (const [at, { sha, time }] of stored.slice(from, from + BATCH_COMMITS).entries())
      for (let one = 0; one < series; one++) {
        const fields = { commit_sha: sha, ...dimensions(one) }
        const id = measurementId(QUERIES, fields, hash)
        const value = 1_000_000 + one * 1_000 + (((from + at) * 7_919 + one * 31) % 500)
        const runs = [0, 1, 2, 3, 4].map(run => value + 40 * run).join(',')
        const texts = [...Object.values(fields).filter(text => text !== null), value, `{${runs}}`]
        lines.push([id, ...texts, 'x86_64-unknown-linux-gnu', time].join('\t'))
      }
    await session.copyIn({ table: 'query_measurements', columns: COLUMNS }, Buffer.from(`${lines.join('\n')}\n`))
  }
  for (const index of indexes) await session.execute(index)
  await session.execute('VACUUM (ANALYZE)')
}

/** Drops the indexes of the table. @returns the statements that create them again */
async function dropIndexes(session: PostgresSession): Promise<readonly string[]> {
  const indexes = await session.query<{ name: string; definition: string }>(
    `SELECT indexname AS name, indexdef AS definition FROM pg_indexes
     WHERE tablename = 'query_measurements' AND indexname <> 'query_measurements_pkey'`,
  )
  for (const { name } of indexes) await session.execute(`DROP INDEX public.${name}`)
  await session.execute('ALTER TABLE query_measurements DROP CONSTRAINT query_measurements_pkey')
  return [
    'ALTER TABLE query_measurements ADD PRIMARY KEY (measurement_id)',
    ...indexes.map(({ definition }) => definition),
  ]
}

/** Dimensions of a series, in the order of COLUMNS; the dataset variant is always absent. */
function dimensions(series: number): Readonly<Record<string, string | number>> {
  const [group, own] = [series % GROUPS, Math.floor(series / GROUPS)]
  return {
    ...{ dataset: DATASETS[group >> 1]!, scale_factor: '10', query_idx: Math.floor(own / 10) + 1 },
    ...{ storage: group % 2 === 0 ? 'nvme' : 's3', engine: own % 2 === 0 ? 'datafusion' : 'duckdb' },
    format: `${own % 10 < 4 ? 'vortex' : 'other'}-${Math.floor((own % 10) / 2)}`,
  }
}
