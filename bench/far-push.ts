/** Pushes into a Postgres that is 20 ms away, larger pushes on the same machine, and many concurrent pushes. */

import type { Benchmark } from './benchmark.js'
import { BIN, type Run } from './child.js'
import { SETTINGS_NOTE, startDatabase } from './database.js'
import { startDelayProxy } from './delay-proxy.js'
import { besideIncumbent, byItsOwnTime, INCUMBENT_MS, standIn } from './incumbent.js'
import { commitFile, recordsFile, sharedParts } from './inputs.js'
import { alternate, pairRatios, spread, wallTimes, type Sample, type Sides } from './measure.js'
import { bundled } from './programs.js'
import { limitRun } from './push.js'
import { atLeast, atMost, count, seconds } from './report.js'
import { writeCopyFiles } from './server-copy.js'

const ONE_WAY_MS = 10
const WRITERS = 14
/** Round trips that SCRAM adds to a login: the client's first message and its proof. */
const SCRAM_TRIPS = 2
/** Runs of sides that take most of a minute each. */
const SLOW_RUNS = 2

export const farPush: Benchmark = {
  name: 'far-push',
  runs: 5,
  async run({ runs, folder, node }) {
    const [few, more, many] = [await recordsFile(300), await recordsFile(2_000), await recordsFile(20_000)]
    const [crowd, small] = [await sharedParts(WRITERS, 2_000, folder), await sharedParts(WRITERS, 100, folder)]
    const commit = await commitFile()
    const files = await writeCopyFiles(many, folder)
    const baseline = await bundled('baseline', folder)
    const python = await standIn()
    const database = await startDatabase({ tls: true })
    const near = new URL(database.url)
    const proxy = await startDelayProxy(Number(near.port), ONE_WAY_MS)
    const far = new URL(near)
    far.port = String(proxy.port)
    const trips: number[] = []
    const push = (file: string, url: URL): Promise<Run> =>
      node([BIN, 'push', file, '--postgres', url.href, '--commit', commit, '--role-policy', 'any', '--format', 'json'])
    const rowByRow = (file: string, url: URL): Promise<Run> => node([baseline, file, url.href, commit])
    const fresh = async (work: () => Promise<Sample>): Promise<Sample> => {
      await database.reset()
      return work()
    }
    const counted = async (work: () => Promise<Sample>): Promise<Sample> => {
      proxy.takeTrips()
      const sample = await work()
      trips.push(proxy.takeTrips() - SCRAM_TRIPS)
      return sample
    }
    /** Undefined when Python is not available. */
    const incumbent = (work: (run: typeof push) => Promise<Sample>): (() => Promise<Sample>) | undefined =>
      python && (() => fresh(() => work((file, url) => python('upsert_rows', [file, url.href, commit]))))
    try {
      const sides: Sides<string> = {
        '300 far': () => fresh(() => counted(() => push(few, far))),
        'row at a time, 300 far': () => fresh(() => rowByRow(few, far)),
        'stand-in, 300 far': incumbent(run => run(few, far)),
        '2,000 far': () => fresh(() => push(more, far)),
        'stand-in, 2,000 far': incumbent(run => run(more, far)),
        '20,000': () => fresh(() => push(many, near)),
        '20,000, the server alone': () => limitRun(database, files),
        'row at a time, 20,000': () => fresh(() => rowByRow(many, near)),
        'stand-in, 20,000': incumbent(run => run(many, near)),
        '14 x 2,000': () => fresh(() => together(crowd, 2_000, file => push(file, near))),
        'stand-in, 14 x 2,000': incumbent(run => together(crowd, 2_000, file => run(file, near))),
        '14 x 100 far': () => fresh(() => together(small, 100, file => push(file, far))),
        'stand-in, 14 x 100 far': incumbent(run => together(small, 100, file => run(file, far))),
      }
      const slow = ['stand-in, 300 far', 'stand-in, 2,000 far', 'stand-in, 14 x 100 far']
      const samples = await alternate(runs, sides, Object.fromEntries(slow.map(name => [name, SLOW_RUNS])))
      const of = (name: string): readonly Sample[] => samples[name] ?? []
      const ratio = (ofSide: string, to: string): ReturnType<typeof spread> =>
        pairRatios(wallTimes(of(ofSide)), wallTimes(of(to)))
      return {
        notes: [
          `\`vortex-ingest push … --postgres postgres://…\`, whole processes, TLS (\`verify-full\`) and SCRAM. "Far" is through a proxy that adds ${ONE_WAY_MS} ms each way; the ${WRITERS} are processes at once that share half of their records and the commit.`,
          'Beside it `bench/baseline.ts`, a plain script in Node that upserts row by row. Limit of the 20,000: the server that loads ready-made files (see push).',
          besideIncumbent({
            '300 far': of('stand-in, 300 far'),
            '2,000 far': of('stand-in, 2,000 far'),
            '14 x 2,000': of('stand-in, 14 x 2,000'),
            '14 x 100 far': of('stand-in, 14 x 100 far'),
          }) +
            ` What it does far away is run at most ${SLOW_RUNS} times. For 20,000 no time of its own is known: the 14 wait for each other at their commit, so its 28,000 rows in 15.3 s are 20,000 in ${seconds(INCUMBENT_MS['20,000'])}.`,
          SETTINGS_NOTE,
        ],
        series: Object.keys(sides).map(name => ({ name, samples: of(name) })),
        verdicts: [
          atMost('300 far', spread(wallTimes(of('300 far'))), 400, seconds),
          atMost('round trips of 300 far, besides TCP and SCRAM', spread(trips), 5, count),
          atMost('2,000 far', spread(wallTimes(of('2,000 far'))), 500, seconds),
          atLeast('stand-in ÷ push, 20,000', ratio('stand-in, 20,000', '20,000'), 12),
          byItsOwnTime('20,000', of('20,000'), 12),
          atLeast('row at a time ÷ push, 20,000', ratio('row at a time, 20,000', '20,000'), 12),
          atLeast('stand-in ÷ push, 14 x 2,000', ratio('stand-in, 14 x 2,000', '14 x 2,000'), 5.5),
          byItsOwnTime('14 x 2,000', of('14 x 2,000'), 5.5),
          atLeast('stand-in ÷ push, 14 x 100 far', ratio('stand-in, 14 x 100 far', '14 x 100 far'), 20),
          byItsOwnTime('14 x 100 far', of('14 x 100 far'), 20),
        ],
      }
    } finally {
      await proxy.stop()
      await database.stop()
    }
  },
}

/** Starts all pushes at once and checks that exactly the expected rows were inserted. */
async function together(
  files: readonly string[],
  each: number,
  start: (file: string) => Promise<Run>,
): Promise<Sample> {
  const started = performance.now()
  const reports = await Promise.all(files.map(start))
  const wallMs = performance.now() - started
  const inserted = reports.reduce((sum, { stdout }) => sum + (JSON.parse(stdout) as { inserted: number }).inserted, 0)
  if (inserted !== (each / 2) * (files.length + 1)) throw new Error(`${inserted} rows were inserted`)
  return { wallMs }
}
