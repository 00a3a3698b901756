/** `copy` from one Postgres database to another, compared with `COPY … TO` that is piped into the same bulk path. */

import { Readable } from 'node:stream'
import pg from 'pg'
import { to } from 'pg-copy-streams'
import { CONTRACT, type Kind } from '../src/contract/kinds.js'
import { ALL_VERSIONS, versionBit } from '../src/contract/version-set.js'
import { applyBulk } from '../src/database/apply.js'
import { migrate } from '../src/database/migrate.js'
import { connectPostgres, type PostgresSession } from '../src/database/postgres/connect.js'
import { parseDsn } from '../src/database/postgres/dsn.js'
import { stagingColumns } from '../src/database/tables.js'
import { deliveryOf } from '../test/fixtures/delivery.js'
import { launchPostgres, type PostgresServer } from '../test/fixtures/postgres.js'
import type { Benchmark, Context } from './benchmark.js'
import { BIN, type Run } from './child.js'
import { generateLines } from './generate.js'
import { COMMIT } from './inputs.js'
import { alternate, pairRatios, wallTimes, type Sample } from './measure.js'
import { atLeast, count } from './report.js'

const ROWS_PER_COMMIT = 25_000
const SETTINGS = { shared_buffers: '2GB', max_wal_size: '32GB', checkpoint_timeout: '1h', autovacuum: 'off' }

const commitAt = (index: number) => ({ ...COMMIT, sha: index.toString(16).padStart(40, '0') })

export const copy: Benchmark = {
  name: 'copy',
  runs: 3,
  async run({ runs, rows: asked, node }) {
    const commits = Math.max(1, Math.round(asked / ROWS_PER_COMMIT))
    const rows = commits * ROWS_PER_COMMIT
    const server = await launchPostgres({ settings: SETTINGS })
    try {
      await fill(server, commits)
      const { ours, limit } = await alternate(runs, {
        limit: () => pipe(server, commits),
        ours: () => copied(server, node, rows),
      })
      const amount = { count: rows, unit: 'rows' }
      return {
        notes: [
          `\`vortex-ingest copy --from postgres://…/source --to postgres://…/target --no-verify\` (${count(rows)} rows of all kinds in ${count(commits)} commits), the whole process, into empty tables of the same server.`,
          'Limit: one `COPY (SELECT … ORDER BY commit_sha, measurement_id) TO STDOUT` per kind, whose lines go unchanged to `applyBulk`, commit by commit, on connections that are already there. It checks no value and no id.',
        ],
        series: [
          { name: 'copy, whole process', samples: ours, amount },
          { name: 'COPY … TO into the bulk path', samples: limit, amount },
        ],
        verdicts: [atLeast('rows/s of copy ÷ COPY … TO', pairRatios(wallTimes(limit), wallTimes(ours)), 0.85)],
      }
    } finally {
      await server.stop()
    }
  },
}

const connect = (server: PostgresServer, database: string): Promise<PostgresSession> =>
  connectPostgres(parseDsn(server.url(database).replace('?sslmode=disable', ''), { insecureLocal: true }), {
    queryTimeoutMs: 0,
  })

async function fill(server: PostgresServer, commits: number): Promise<void> {
  const empty = await connectPostgres(
    parseDsn((await server.createDatabase('empty')).replace('?sslmode=disable', ''), { insecureLocal: true }),
  )
  await migrate(empty).finally(() => empty.close())
  await server.sql('CREATE DATABASE source TEMPLATE empty')
  const session = await connect(server, 'source')
  for (let index = 0; index < commits; index++) {
    const commit = commitAt(index)
    await applyBulk(session, await deliveryOf([...generateLines(ROWS_PER_COMMIT, commit.sha)], commit))
  }
  await session.close()
  await server.sql('VACUUM (ANALYZE)', 'source')
}

async function emptyTarget(server: PostgresServer): Promise<void> {
  await server.sql('DROP DATABASE IF EXISTS target WITH (FORCE)')
  await server.sql('CREATE DATABASE target TEMPLATE empty')
  await server.sql('CHECKPOINT')
}

async function copied(server: PostgresServer, node: Context['node'], rows: number): Promise<Run> {
  await emptyTarget(server)
  const urls = ['source', 'target'].map(name => server.url(name).replace('?sslmode=disable', ''))
  const run = await node([
    ...[BIN, 'copy', '--from', urls[0]!, '--to', urls[1]!, '--insecure-local', '--role-policy', 'any'],
    ...['--no-verify', '--format', 'json'],
  ])
  const { inserted } = JSON.parse(run.stdout) as { readonly inserted: number }
  if (inserted !== rows) throw new Error(`the copy inserted ${inserted} rows instead of ${rows}`)
  return run
}

async function pipe(server: PostgresServer, commits: number): Promise<Sample> {
  await emptyTarget(server)
  const target = await connect(server, 'target')
  const started = performance.now()
  const streams = await Promise.all(CONTRACT.kinds.map(kind => openCopy(server, kind)))
  for (let index = 0; index < commits; index++) {
    const commit = commitAt(index)
    const parts = await Promise.all(streams.map(stream => stream.next()))
    const counts = new Map(parts.map(({ kind, rows }) => [kind.kind, rows]))
    await applyBulk(target, {
      ...{ commit, counts, fits: ALL_VERSIONS & versionBit(CONTRACT.version), assertMayCommit: async () => undefined },
      rows: async function* () {
        yield* parts.filter(({ rows }) => rows > 0)
      },
    })
  }
  for (const stream of streams) await stream.close()
  await target.close()
  return { wallMs: performance.now() - started }
}

/** Reads the rows of a kind, one commit with each call of `next`. Every commit has the same number of them. */
async function openCopy(server: PostgresServer, kind: Kind) {
  const client = new pg.Client({ connectionString: server.url('source') })
  await client.connect()
  const { rows: found } = await client.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM ${kind.table} WHERE commit_sha = '${commitAt(0).sha}'`,
  )
  const rows = found[0]!.n
  const columns = stagingColumns(kind).join(', ')
  const stream: Readable = client.query(
    to(`COPY (SELECT ${columns} FROM ${kind.table} ORDER BY commit_sha, measurement_id) TO STDOUT`),
  )
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let rest: Buffer = Buffer.alloc(0)
  return {
    async next() {
      const parts: Buffer[] = []
      for (let left = rows; left > 0;) {
        if (rest.length === 0) rest = ((await chunks.next()).value as Buffer | undefined) ?? Buffer.alloc(0)
        let end = 0
        for (let at = rest.indexOf(0x0a); at !== -1 && left > 0; at = rest.indexOf(0x0a, at + 1)) {
          left--
          end = at + 1
        }
        if (left > 0) end = rest.length
        parts.push(rest.subarray(0, end))
        rest = rest.subarray(end)
      }
      return { kind, rows, text: Buffer.concat(parts) }
    },
    close: () => client.end(),
  }
}
