/** The push of a typical CI job: a few records, a new process and a verified TLS connection. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Benchmark } from './benchmark.js'
import { BIN, type Run } from './child.js'
import { SETTINGS_NOTE, startDatabase } from './database.js'
import { besideIncumbent, byItsOwnTime, standIn } from './incumbent.js'
import { commitFile, makeRepository, recordsFile } from './inputs.js'
import { alternate, pairRatios, wallTimes } from './measure.js'
import { bundled } from './programs.js'
import { atMost, type Verdict } from './report.js'

const FEW = 300
const MORE = 2000
/** Largest allowed share of the incumbent's time. */
const SHARE = 0.45

export const smallPush: Benchmark = {
  name: 'small-push',
  runs: 11,
  async run({ runs, folder, node }) {
    const repository = join(folder, 'repository')
    const sha = await makeRepository(repository)
    const [few, more, ofRepository] = [await recordsFile(FEW), await recordsFile(MORE), await recordsFile(FEW, sha)]
    const commit = await commitFile()
    const baseline = await bundled('baseline', folder)
    const nothing = join(folder, 'nothing.cjs')
    await writeFile(nothing, '')
    const python = await standIn()
    const database = await startDatabase({ tls: true })
    const inserting = async (rows: number, start: () => Promise<Run>): Promise<Run> => {
      await database.reset()
      const run = await start()
      const { inserted } = JSON.parse(run.stdout) as { inserted: number }
      if (inserted !== rows) throw new Error(`inserted ${inserted} rows instead of ${rows}`)
      return run
    }
    const push = (rows: number, file: string, ...from: string[]): Promise<Run> =>
      inserting(rows, () => node([BIN, 'push', file, '--postgres', database.url, '--format', 'json', ...from]))
    const rowByRow = (rows: number, file: string): Promise<Run> =>
      inserting(rows, () => node([baseline, file, database.url, commit]))
    const incumbent = (file: string, from: string): (() => Promise<Run>) | undefined =>
      python && (() => inserting(FEW, () => python('upsert_rows', [file, database.url, from])))
    try {
      const samples = await alternate(runs, {
        'push 300, --commit FILE': () => push(FEW, few, '--commit', commit),
        'stand-in 300, commit file': incumbent(few, commit),
        'row at a time 300': () => rowByRow(FEW, few),
        'push 300, git': () => push(FEW, ofRepository, '--git-dir', repository),
        'stand-in 300, git': incumbent(ofRepository, repository),
        'push 2,000, --commit FILE': () => push(MORE, more, '--commit', commit),
        'row at a time 2,000': () => rowByRow(MORE, more),
        'vortex-ingest --version': () => node([BIN, '--version']),
        'an empty file in node': () => node([nothing]),
      })
      const times = (name: keyof typeof samples): readonly number[] => wallTimes(samples[name])
      return {
        notes: [
          '`vortex-ingest push bench/.cache/300.jsonl --postgres postgres://…?sslrootcert=… --commit bench/.cache/commit.json`, the whole process, over TLS (`verify-full`) into empty tables; once with the commit from a git repository instead.',
          'Beside it `bench/baseline.ts`, what a plain script does: one upsert statement a row, in one transaction, over TLS too, bundled like ours. Limits: our start-up alone, and that of Node.',
          besideIncumbent({ '300': samples['stand-in 300, git'] }) +
            ' It asks git for each field of the commit by itself, as the incumbent does, or reads them from a file.',
          SETTINGS_NOTE,
        ],
        series: Object.entries(samples).map(([name, runs]) => ({ name, samples: runs })),
        verdicts: [
          toIncumbent(
            'push 300 ÷ stand-in, --commit FILE',
            times('push 300, --commit FILE'),
            times('stand-in 300, commit file'),
          ),
          toIncumbent('push 300 ÷ stand-in, git', times('push 300, git'), times('stand-in 300, git')),
          byItsOwnTime('300', samples['push 300, git'], 1 / SHARE),
          smaller('push ÷ row at a time, 300', times('push 300, --commit FILE'), times('row at a time 300')),
          smaller('push ÷ row at a time, 2,000', times('push 2,000, --commit FILE'), times('row at a time 2,000')),
        ],
      }
    } finally {
      await database.stop()
    }
  },
}

function toIncumbent(what: string, ours: readonly number[], standIn: readonly number[]): Verdict {
  return atMost(what, pairRatios(ours, standIn), SHARE)
}

/** A check that is not among the project's targets: no push may be slower than the simplest possible script. */
function smaller(what: string, of: readonly number[], to: readonly number[]): Verdict {
  return atMost(what, pairRatios(of, to), 1)
}
