/** The chart of a group among five million rows: a server that has just started, and one that has the answer. */

import { migrate } from '../src/database/migrate.js'
import { connectPostgres } from '../src/database/postgres/connect.js'
import { parseDsn } from '../src/database/postgres/dsn.js'
import { launchPostgres } from '../test/fixtures/postgres.js'
import type { Benchmark, Context } from './benchmark.js'
import { BIN } from './child.js'
import { fillLargeHistory, GROUPS, LARGE_GROUP } from './large-history.js'
import { alternate, spread, wallTimes, type Sample } from './measure.js'
import { atMost, count, seconds } from './report.js'

const SERIES = 2_000
const CHARTED = 200
const SETTINGS = { shared_buffers: '2GB', max_wal_size: '32GB', checkpoint_timeout: '1h', autovacuum: 'off' }
const HISTORY = `api/history/${LARGE_GROUP}?n=${CHARTED}`

export const chart: Benchmark = {
  name: 'chart',
  runs: 7,
  async run({ runs, rows, node }) {
    const commits = Math.max(2 * CHARTED, Math.round((rows * 10) / SERIES))
    const server = await launchPostgres({ settings: SETTINGS })
    try {
      const url = (await server.createDatabase('large')).replace('?sslmode=disable', '')
      const session = await connectPostgres(parseDsn(url, { insecureLocal: true }), { queryTimeoutMs: 0 })
      await migrate(session)
      await fillLargeHistory(session, { commits, series: SERIES })
      await session.close()
      const samples = await alternate(runs, {
        groups: () => cold(node, url, 'api/groups'),
        cold: () => cold(node, url, HISTORY),
        warm: () => warm(node, url),
        thousand: () => cold(node, url, HISTORY.replace(String(CHARTED), '1000')),
      })
      return {
        notes: [
          `\`vortex-ingest serve --store postgres://…\` over ${count(commits * SERIES)} query measurements (${count(commits)} commits) with the contract's own indexes. A chart has ${SERIES / GROUPS} series at ${CHARTED} commits. Time is from the request to the last byte of the answer.`,
          'Cold: the first request to a server that has just started. Warm: the same request again.',
          `Postgres 18 from npm, its defaults but for ${Object.entries(SETTINGS)
            .map(([name, value]) => `\`${name}=${value}\``)
            .join(', ')}.`,
        ],
        series: [
          { name: 'list of groups, cold', samples: samples.groups },
          { name: `chart of ${CHARTED} commits, cold`, samples: samples.cold },
          { name: `chart of ${CHARTED} commits, warm`, samples: samples.warm },
          { name: 'chart of 1,000 commits, cold', samples: samples.thousand },
        ],
        verdicts: [
          atMost('chart, cold', spread(wallTimes(samples.cold)), 300, seconds),
          atMost('chart, warm', spread(wallTimes(samples.warm)), 30, seconds),
        ],
      }
    } finally {
      await server.stop()
    }
  },
}

function cold(node: Context['node'], store: string, path: string): Promise<Sample> {
  return serving(node, store, url => timedFetch(`${url}/${path}`))
}

function warm(node: Context['node'], store: string): Promise<Sample> {
  return serving(node, store, async url => {
    await timedFetch(`${url}/${HISTORY}`)
    return timedFetch(`${url}/${HISTORY}`)
  })
}

async function serving(node: Context['node'], store: string, work: (url: string) => Promise<Sample>): Promise<Sample> {
  const args = ['--insecure-no-auth', '--insecure-local', '--format', 'json', '--store', store]
  const server = node.start([BIN, 'serve', ...args])
  try {
    const { url } = JSON.parse(await server.firstLine) as { url: string }
    // The first request of a process loads fetch and opens the connection.
    await timedFetch(`${url}/health?version`)
    return await work(url)
  } finally {
    server.kill('SIGTERM')
    await server.ended
  }
}

async function timedFetch(url: string): Promise<Sample> {
  const started = performance.now()
  const response = await fetch(url)
  const text = await response.text()
  if (response.status !== 200 || text.length === 0) throw new Error(`${url} answered ${response.status}: ${text}`)
  return { wallMs: performance.now() - started }
}
