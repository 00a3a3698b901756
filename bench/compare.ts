/** `compare` of two commits among thousands: its cost must not grow with the size of the table. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { migrate } from '../src/database/migrate.js'
import { connectPostgres, type PostgresSession } from '../src/database/postgres/connect.js'
import { parseDsn } from '../src/database/postgres/dsn.js'
import { launchPostgres, type PostgresServer } from '../test/fixtures/postgres.js'
import type { Benchmark, Context } from './benchmark.js'
import { BIN, type Run } from './child.js'
import { COMMIT } from './inputs.js'
import { alternate, pairRatios, wallTimes, type Sample } from './measure.js'
import { atMost, count } from './report.js'

/** Series per commit. */
const SERIES = 2_000
const SMALL = 50
const SETTINGS = { shared_buffers: '2GB', max_wal_size: '32GB', checkpoint_timeout: '1h', autovacuum: 'off' }
const HEAD = { ...COMMIT, sha: 'f'.repeat(40), timestamp: '2026-02-01T12:00:00+00:00' }

export const compare: Benchmark = {
  name: 'compare',
  runs: 7,
  async run({ runs, rows, folder, node }) {
    const commits = Math.max(SMALL, Math.round((rows * 10) / SERIES))
    const server = await launchPostgres({ settings: SETTINGS })
    try {
      const large = await fill(server, 'large', commits, { folder, node })
      const small = await fill(server, 'small', SMALL, { folder, node })
      const sides = {
        large: () => comparison(node, large),
        small: () => comparison(node, small),
        plain: () => plain(large),
      }
      const samples = await alternate(runs, sides)
      await server.sql('CREATE INDEX ON query_measurements (commit_sha)', 'large')
      const indexed = await alternate(runs, { compare: () => comparison(node, large), plain: () => plain(large) })
      const size = `${count(commits * SERIES)} rows`
      return {
        notes: [
          `\`vortex-ingest compare BASE HEAD --insecure-local --postgres … --format json\`, the whole process: two commits of ${count(SERIES)} query series with five runs each, pushed as any other, in a query_measurements of ${size} (${count(commits)} commits), vacuumed and analysed, with the indexes of the contract.`,
          'Beside it the rows of the two commits by `WHERE commit_sha = ANY(…)` on a connection that is there, which reads the whole table; then both once more after `CREATE INDEX ON query_measurements (commit_sha)`. All of it from memory: a table that must come from a disk makes the plain query slower still.',
          `Postgres 18 from npm, its defaults but for ${Object.entries({
            fsync: 'off',
            full_page_writes: 'off',
            ...SETTINGS,
          })
            .map(([name, value]) => `\`${name}=${value}\``)
            .join(', ')}.`,
        ],
        series: [
          { name: `compare among ${size}`, samples: samples.large },
          { name: `compare among ${count(SMALL * SERIES)} rows`, samples: samples.small },
          { name: `WHERE commit_sha = ANY(…) among ${size}`, samples: samples.plain },
          { name: 'compare, with an index on commit_sha', samples: indexed.compare },
          { name: 'WHERE commit_sha = ANY(…), with it', samples: indexed.plain },
        ],
        verdicts: [
          atMost(
            `compare among ${size} ÷ among ${count(SMALL * SERIES)}`,
            pairRatios(wallTimes(samples.large), wallTimes(samples.small)),
            1.5,
          ),
          atMost(
            'compare ÷ compare with an index on commit_sha',
            pairRatios(wallTimes(samples.large), wallTimes(indexed.compare)),
            2,
          ),
        ],
      }
    } finally {
      await server.stop()
    }
  },
}

async function comparison(node: Context['node'], url: string): Promise<Run> {
  const run = await node([BIN, 'compare', COMMIT.sha, HEAD.sha, ...at(url), '--format', 'json'])
  const { summary } = JSON.parse(run.stdout) as { summary: { series: number; only_base: number } }
  if (summary.series !== SERIES || summary.only_base !== 0)
    throw new Error(`unexpected report: ${run.stdout.slice(0, 500)}`)
  return run
}

async function plain(url: string): Promise<Sample> {
  const session = await connect(url)
  try {
    const started = performance.now()
    const found = await session.query(
      `SELECT dataset, dataset_variant, scale_factor, query_idx, storage, engine, format, value_ns, all_runtimes_ns::text
       FROM query_measurements WHERE commit_sha = ANY($1::text[])`,
      [[COMMIT.sha, HEAD.sha]],
    )
    if (found.length !== 2 * SERIES) throw new Error(`${found.length} rows were read`)
    return { wallMs: performance.now() - started }
  } finally {
    await session.close()
  }
}

/** Creates a database with `commits` commits. Only the last two are pushed, because only their ids must be right. */
async function fill(
  server: PostgresServer,
  name: string,
  commits: number,
  { folder, node }: Pick<Context, 'folder' | 'node'>,
): Promise<string> {
  const url = await server.createDatabase(name)
  const session = await connect(url)
  await migrate(session)
  await session.execute(FILL(commits - 2))
  await session.close()
  for (const [index, commit] of [COMMIT, HEAD].entries()) {
    const [input, described] = [join(folder, `${name}-${index}.jsonl`), join(folder, `${name}-${index}.json`)]
    await writeFile(input, linesOf(commit.sha, index))
    await writeFile(described, JSON.stringify(commit))
    await node([BIN, 'push', input, '--commit', described, ...at(url)])
  }
  await server.sql('VACUUM (ANALYZE)', name)
  return url
}

function linesOf(sha: string, shift: number): string {
  const lines = Array.from({ length: SERIES }, (_, series) => {
    const runs = [0, 1, 2, 3, 4].map(
      run => 1_000_000 + series * 1_000 + ((run * 7_919 + series * 31) % 500) + shift * 100,
    )
    return JSON.stringify({
      kind: 'query_measurement',
      commit_sha: sha,
      ...dimensions(series),
      value_ns: runs[2],
      all_runtimes_ns: runs,
    })
  })
  return `${lines.join('\n')}\n`
}

const DATASETS = ['tpch', 'tpcds', 'clickbench', 'fineweb', 'statpopgen']

/** Dimensions of a series, the same as in FILL. */
function dimensions(series: number): object {
  const query = Math.floor(series / 16)
  return {
    ...{ dataset: DATASETS[query % 5], dataset_variant: query % 5 === 2 ? 'partitioned' : null },
    ...{ scale_factor: query % 5 < 2 ? '10' : null, query_idx: query, storage: series % 2 === 0 ? 'nvme' : 's3' },
    ...{ engine: (series >> 1) % 2 === 0 ? 'datafusion' : 'duckdb', format: `format-${(series >> 2) % 4}` },
  }
}

/** Inserts rows in the order of commits, with ids as scattered as hashes. Indexes are rebuilt at the end. */
const FILL = (commits: number): string => `
  SET max_parallel_maintenance_workers = 0;
  CREATE TEMPORARY TABLE made AS
    SELECT indexdef FROM pg_indexes WHERE tablename = 'query_measurements' AND indexname <> 'query_measurements_pkey';
  DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT indexname FROM pg_indexes WHERE tablename = 'query_measurements' AND indexname <> 'query_measurements_pkey'
    LOOP EXECUTE format('DROP INDEX public.%I', name); END LOOP;
  END $$;
  ALTER TABLE query_measurements DROP CONSTRAINT query_measurements_pkey;
  INSERT INTO commits (commit_sha, timestamp, tree_sha, url)
    SELECT md5(c::text) || '00000000', timestamptz '2020-01-01' + c * interval '1 hour', '', ''
    FROM generate_series(1, ${commits}) AS c;
  INSERT INTO query_measurements (measurement_id, commit_sha, dataset, dataset_variant, scale_factor, query_idx, storage,
      engine, format, value_ns, all_runtimes_ns, env_triple, commit_timestamp)
    SELECT hashint8extended(c * ${SERIES}::bigint + s, 7), md5(c::text) || '00000000',
      (ARRAY['${DATASETS.join("','")}'])[s / 16 % 5 + 1], CASE WHEN s / 16 % 5 = 2 THEN 'partitioned' END,
      CASE WHEN s / 16 % 5 < 2 THEN '10' END, s / 16, CASE s % 2 WHEN 0 THEN 'nvme' ELSE 's3' END,
      CASE s / 2 % 2 WHEN 0 THEN 'datafusion' ELSE 'duckdb' END, 'format-' || s / 4 % 4,
      1000000 + s, ARRAY[1000000 + s, 1000001 + s, 1000002 + s, 1000003 + s, 1000004 + s], 'x86_64-unknown-linux-gnu',
      timestamptz '2020-01-01' + c * interval '1 hour'
    FROM generate_series(1, ${commits}) AS c, generate_series(0, ${SERIES - 1}) AS s;
  ALTER TABLE query_measurements ADD PRIMARY KEY (measurement_id);
  DO $$ DECLARE definition text; BEGIN
    FOR definition IN SELECT indexdef FROM made LOOP EXECUTE definition; END LOOP;
  END $$`

const at = (url: string): readonly string[] => ['--insecure-local', '--postgres', url.replace('?sslmode=disable', '')]

const connect = (url: string): Promise<PostgresSession> =>
  connectPostgres(parseDsn(url.replace('?sslmode=disable', ''), { insecureLocal: true }), { queryTimeoutMs: 0 })
