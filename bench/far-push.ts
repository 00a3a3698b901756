/** Pushes into a Postgres that is 20 ms away, larger ones on the same machine, and many at once. */

import type { Benchmark } from './benchmark.js'
import { BIN, type Run } from './child.js'
import { SETTINGS_NOTE, startDatabase } from './database.js'
import { startDelayProxy } from './delay-proxy.js'
import { commitFile, recordsFile, sharedParts } from './inputs.js'
import { alternate, pairRatios, spread, wallTimes, type Sample } from './measure.js'
import { bundled } from './programs.js'
import { atLeast, atMost, count, seconds, type Verdict } from './report.js'

const ONE_WAY_MS = 10
const WRITERS = 14
/** What SCRAM adds to any login: its first message and its proof. */
const SCRAM_TRIPS = 2

/** The incumbent's times on a machine like these; it is not here to be run again. */
const INCUMBENT = { '300 far': 7_400, '2,000 far': 45_800, '14 x 2,000': 15_300, '14 x 100 far': 34_900 }

export const farPush: Benchmark = {
  name: 'far-push',
  runs: 5,
  async run({ runs, folder, node }) {
    const [few, more, many] = [await recordsFile(300), await recordsFile(2_000), await recordsFile(20_000)]
    const [crowd, small] = [await sharedParts(WRITERS, 2_000, folder), await sharedParts(WRITERS, 100, folder)]
    const commit = await commitFile()
    const baseline = await bundled('baseline', folder)
    const database = await startDatabase({ tls: true })
    const near = new URL(database.url)
    const proxy = await startDelayProxy(Number(near.port), ONE_WAY_MS)
    const far = new URL(near)
    far.port = String(proxy.port)
    const trips: number[] = []
    const push = (file: string, url: URL): Promise<Run> =>
      node([BIN, 'push', file, '--postgres', url.href, '--commit', commit, '--role-policy', 'any', '--format', 'json'])
    const fresh = async (work: () => Promise<Sample>): Promise<Sample> => {
      await database.reset()
      return work()
    }
    /** All at once, and not a row too many or too few. */
    const together = async (files: readonly string[], each: number, url: URL): Promise<Sample> => {
      const started = performance.now()
      const reports = await Promise.all(files.map(file => push(file, url)))
      const wallMs = performance.now() - started
      const inserted = reports.reduce(
        (sum, { stdout }) => sum + (JSON.parse(stdout) as { inserted: number }).inserted,
        0,
      )
      if (inserted !== (each / 2) * (WRITERS + 1)) throw new Error(`${inserted} rows were inserted`)
      return { wallMs }
    }
    try {
      const samples = await alternate(runs, {
        '300 far': () =>
          fresh(async () => {
            proxy.takeTrips()
            const run = await push(few, far)
            trips.push(proxy.takeTrips() - SCRAM_TRIPS)
            return run
          }),
        'row at a time, 300 far': () => fresh(() => node([baseline, few, far.href, commit])),
        '2,000 far': () => fresh(() => push(more, far)),
        '20,000': () => fresh(() => push(many, near)),
        'row at a time, 20,000': () => fresh(() => node([baseline, many, near.href, commit])),
        '14 x 2,000': () => fresh(() => together(crowd, 2_000, near)),
        '14 x 100 far': () => fresh(() => together(small, 100, far)),
      })
      const times = (name: keyof typeof samples): readonly number[] => wallTimes(samples[name])
      return {
        notes: [
          `\`vortex-ingest push … --postgres postgres://…\`, whole processes, TLS (\`verify-full\`) and SCRAM. "Far" is through a proxy that adds ${ONE_WAY_MS} ms each way; the ${WRITERS} are processes at once that share half of their records and the commit.`,
          'Beside it `bench/baseline.ts`, a plain script that upserts row by row. The incumbent cannot be run here: its times are ' +
            Object.entries(INCUMBENT)
              .map(([what, ms]) => `${seconds(ms)} (${what})`)
              .join(', ') +
            '.',
          SETTINGS_NOTE,
        ],
        series: Object.entries(samples).map(([name, runs]) => ({ name, samples: runs })),
        verdicts: [
          atMost('300 far', spread(times('300 far')), 400, seconds),
          atMost('round trips of 300 far, besides TCP and SCRAM', spread(trips), 5, count),
          atMost('2,000 far', spread(times('2,000 far')), 500, seconds),
          atLeast('row at a time ÷ push, 20,000', pairRatios(times('row at a time, 20,000'), times('20,000')), 12),
          toIncumbent('14 x 2,000', times('14 x 2,000'), 5.5),
          toIncumbent('14 x 100 far', times('14 x 100 far'), 20),
        ],
      }
    } finally {
      await proxy.stop()
      await database.stop()
    }
  },
}

function toIncumbent(what: keyof typeof INCUMBENT, times: readonly number[], factor: number): Verdict {
  return atMost(what, spread(times), INCUMBENT[what] / factor, seconds)
}
