/** The settings that `tune` finds for a Postgres that is 20 ms away, compared with the defaults. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Benchmark } from './benchmark.js'
import { BIN, type Node, type Run } from './child.js'
import { SETTINGS_NOTE, startDatabase } from './database.js'
import { startDelayProxy } from './delay-proxy.js'
import { commitFile, recordsFile } from './inputs.js'
import { alternate, pairRatios, wallTimes, type Sample } from './measure.js'
import { atLeast, count } from './report.js'

const ONE_WAY_MS = 10
const RECORDS = 20_000
const TRIALS = 8
/** Relative difference between two identical sides on an idle machine. */
const NOISE = 0.03

type TuneReport = {
  readonly trials: readonly { readonly id: string }[]
  readonly champion: { readonly settings: Readonly<Record<string, number>>; readonly trial: string | null }
  readonly duration_ms: number
}

export const tune: Benchmark = {
  name: 'tune',
  runs: 5,
  async run({ runs, folder, node }) {
    const [file, commit] = [await recordsFile(RECORDS), await commitFile()]
    const database = await startDatabase({ tls: true })
    const far = new URL(database.url)
    const proxy = await startDelayProxy(Number(far.port), ONE_WAY_MS)
    far.port = String(proxy.port)
    try {
      await database.reset()
      const found = await tuned(node, { folder, file, url: far })
      const { settings, trial } = found.champion
      const push = async (flags: readonly string[]): Promise<Sample> => {
        await database.reset()
        return whole(await node([BIN, 'push', file, '--postgres', far.href, '--commit', commit, ...flags, ...JSON_OUT]))
      }
      const samples = await alternate(runs, { defaults: () => push([]), found: () => push(flagsOf(settings)) })
      const ratio = pairRatios(wallTimes(samples.defaults), wallTimes(samples.found))
      const what = trial === null ? 'the defaults: no trial was clearly faster' : flagsOf(settings).join(' ')
      return {
        notes: [
          `\`vortex-ingest tune --target db --sample …\` on ${count(RECORDS)} records, through a proxy that adds ${ONE_WAY_MS} ms each way: ${found.trials.length} trials in ${Math.round(found.duration_ms / 1000)} s. It found ${what}.`,
          'Then pushes of the same records into an empty database, whole processes, with what it found and with the defaults.',
          `Where it finds nothing both sides are the same, and differ by chance: ${NOISE * 100} % are let pass.`,
          SETTINGS_NOTE,
        ],
        series: Object.entries(samples).map(([name, of]) => ({
          name,
          samples: of,
          amount: { count: RECORDS, unit: 'records' },
        })),
        verdicts: [atLeast('defaults ÷ found', ratio, 1 - NOISE)],
      }
    } finally {
      await proxy.stop()
      await database.stop()
    }
  },
}

const JSON_OUT = ['--format', 'json']

type Tuning = { readonly folder: string; readonly file: string; readonly url: URL }

/** Tunes like an operator: with a registered target whose password is not in the state. */
async function tuned(node: Node, { folder, file, url }: Tuning): Promise<TuneReport> {
  const [state, passwords] = [join(folder, 'state'), join(folder, 'passwords')]
  await writeFile(passwords, `*:*:*:*:${decodeURIComponent(url.password)}\n`, { mode: 0o600 })
  const address = new URL(url)
  address.password = ''
  address.searchParams.set('passfile', passwords)
  await node([BIN, 'targets', 'add', 'db', 'postgres', address.href, '--state', state])
  const flags = ['--sample', file, '--trials', String(TRIALS), '--state', state]
  const { stdout } = await node([BIN, 'tune', '--target', 'db', ...flags, ...JSON_OUT])
  return JSON.parse(stdout) as TuneReport
}

/** Converts settings to flags. The flag of a setting has the name of the setting. */
function flagsOf(settings: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
}

function whole(run: Run): Run {
  const { inserted } = JSON.parse(run.stdout) as { readonly inserted: number }
  if (inserted !== RECORDS) throw new Error(`${inserted} rows were inserted`)
  return run
}
