/** A push of new rows into Postgres, compared with the server loading the same rows by itself. */

import type { Benchmark, Context } from './benchmark.js'
import { BIN, type Run } from './child.js'
import { SETTINGS_NOTE, startDatabase, type BenchDatabase } from './database.js'
import { commitFile, recordsFile } from './inputs.js'
import { alternate, pairRatios, wallTimes, type Sample } from './measure.js'
import { atLeast, count, rssBelow } from './report.js'
import { copyOnServer, writeCopyFiles, type CopyFiles } from './server-copy.js'

export const push: Benchmark = {
  name: 'push',
  runs: 5,
  async run({ runs, rows, folder, node }) {
    const input = await recordsFile(rows)
    const files = await writeCopyFiles(input, folder)
    const database = await startDatabase({ tls: false })
    try {
      const { limit, ours } = await alternate(runs, {
        limit: () => limitRun(database, files),
        ours: () => pushRun({ database, node, input, rows }),
      })
      const amount = { count: rows, unit: 'rows' }
      return {
        notes: [
          `\`vortex-ingest push bench/.cache/${rows}.jsonl --commit bench/.cache/commit.json --insecure-local --postgres postgres://…\` (${count(rows)} new rows), the whole process. Each run starts with empty tables and a checkpoint.`,
          'Limit: `COPY … FROM` ready-made files that the server reads itself, into the same staging tables, then the same upserts, in one transaction on a connection that is already there.',
          SETTINGS_NOTE,
        ],
        series: [
          { name: 'push, whole process', samples: ours, amount },
          { name: 'server-side COPY + upsert', samples: limit, amount },
        ],
        verdicts: [
          atLeast('rows/s of push ÷ server-side', pairRatios(wallTimes(limit), wallTimes(ours)), 0.85),
          rssBelow('push', ours, 130),
        ],
      }
    } finally {
      await database.stop()
    }
  },
}

export type PushRun = Pick<Context, 'node' | 'rows'> & { readonly database: BenchDatabase; readonly input: string }

/** Pushes new rows into empty tables. */
export async function pushRun({ database, node, input, rows }: PushRun): Promise<Run> {
  await database.reset()
  const run = await node([BIN, ...(await pushArguments(database, input))])
  const { inserted } = JSON.parse(run.stdout) as { inserted: number }
  if (inserted !== rows) throw new Error(`the push inserted ${inserted} rows instead of ${rows}`)
  return run
}

export async function pushArguments(database: BenchDatabase, input: string): Promise<readonly string[]> {
  const where = ['--insecure-local', '--postgres', database.url]
  return ['push', input, '--commit', await commitFile(), ...where, '--format', 'json']
}

export async function limitRun(database: BenchDatabase, files: CopyFiles): Promise<Sample> {
  await database.reset()
  const session = await database.connect()
  try {
    return await copyOnServer(session, files)
  } finally {
    await session.close()
  }
}
