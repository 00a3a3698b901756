/** The push that every CI job does: a few records, a process of its own, a verified connection. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Benchmark } from './benchmark.js'
import { BIN, type Run } from './child.js'
import { SETTINGS_NOTE, startDatabase } from './database.js'
import { commitFile, makeRepository, recordsFile } from './inputs.js'
import { alternate, pairRatios, spread, wallTimes } from './measure.js'
import { bundled } from './programs.js'
import { atMost, seconds, type Verdict } from './report.js'

const FEW = 300
const MORE = 2000
/** The incumbent script over the same 300 records on a machine like these; it is not here to be run again. */
const INCUMBENT_MS = 380
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
    const database = await startDatabase({ tls: true })
    const inserting = async (rows: number, args: readonly string[]): Promise<Run> => {
      await database.reset()
      const run = await node(args)
      const { inserted } = JSON.parse(run.stdout) as { inserted: number }
      if (inserted !== rows) throw new Error(`inserted ${inserted} rows instead of ${rows}`)
      return run
    }
    const push = (file: string, ...from: string[]): readonly string[] => [
      ...[BIN, 'push', file, '--postgres', database.url, '--format', 'json'],
      ...from,
    ]
    try {
      const samples = await alternate(runs, {
        'push 300, --commit FILE': () => inserting(FEW, push(few, '--commit', commit)),
        'row at a time 300': () => inserting(FEW, [baseline, few, database.url, commit]),
        'push 300, git': () => inserting(FEW, push(ofRepository, '--git-dir', repository)),
        'push 2,000, --commit FILE': () => inserting(MORE, push(more, '--commit', commit)),
        'row at a time 2,000': () => inserting(MORE, [baseline, more, database.url, commit]),
        'vortex-ingest --version': () => node([BIN, '--version']),
        'an empty file in node': () => node([nothing]),
      })
      const times = (name: keyof typeof samples): readonly number[] => wallTimes(samples[name])
      return {
        notes: [
          '`vortex-ingest push bench/.cache/300.jsonl --postgres postgres://…?sslrootcert=… --commit bench/.cache/commit.json`, the whole process, over TLS (`verify-full`) into empty tables; once with the commit from a git repository instead.',
          'Beside it `bench/baseline.ts`, what a plain script does: one upsert statement a row, in one transaction, over TLS too, bundled like ours. Limits: our start-up alone, and that of Node.',
          `The incumbent script cannot be run here; it took ${seconds(INCUMBENT_MS)} for the 300 records.`,
          SETTINGS_NOTE,
        ],
        series: Object.entries(samples).map(([name, runs]) => ({ name, samples: runs })),
        verdicts: [
          toIncumbent('push 300, --commit FILE', times('push 300, --commit FILE')),
          toIncumbent('push 300, git', times('push 300, git')),
          smaller('push ÷ row at a time, 300', times('push 300, --commit FILE'), times('row at a time 300')),
          smaller('push ÷ row at a time, 2,000', times('push 2,000, --commit FILE'), times('row at a time 2,000')),
        ],
      }
    } finally {
      await database.stop()
    }
  },
}

function toIncumbent(what: string, times: readonly number[]): Verdict {
  return atMost(what, spread(times), INCUMBENT_MS * SHARE, seconds)
}

/** Not a target of the project's, but no push may be slower than the plain way. */
function smaller(what: string, of: readonly number[], to: readonly number[]): Verdict {
  return atMost(what, pairRatios(of, to), 1)
}
