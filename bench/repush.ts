/** Pushing the same file again, compared with pushing a file that changes every row. */

import type { Benchmark } from './benchmark.js'
import { BIN, type Run } from './child.js'
import { SETTINGS_NOTE, startDatabase } from './database.js'
import { changedRecordsFile, recordsFile } from './inputs.js'
import { alternate, pairRatios, wallTimes } from './measure.js'
import { pushArguments, pushRun } from './push.js'
import { atLeast, count } from './report.js'

export const repush: Benchmark = {
  name: 'repush',
  runs: 5,
  async run({ runs, rows, node }) {
    const input = await recordsFile(rows)
    const changed = await changedRecordsFile(rows)
    const database = await startDatabase({ tls: false })
    const again = async (file: string, unchanged: number): Promise<Run> => {
      await database.reset()
      const run = await node([BIN, ...(await pushArguments(database, file))])
      const report = JSON.parse(run.stdout) as { updated: number; unchanged: number }
      if (report.updated !== rows || report.unchanged !== unchanged) throw new Error(`unexpected report: ${run.stdout}`)
      return run
    }
    try {
      await pushRun({ database, node, input, rows })
      await database.keep()
      const { same, rewritten } = await alternate(runs, {
        same: () => again(input, rows),
        rewritten: () => again(changed, 0),
      })
      const amount = { count: rows, unit: 'rows' }
      return {
        notes: [
          `\`vortex-ingest push bench/.cache/${rows}.jsonl …\` into a database that holds it already (${count(rows)} rows, vacuumed and analysed), the whole process.`,
          `Beside it: \`bench/.cache/${rows}-changed.jsonl\`, the same ids with every value one larger, into the same database.`,
          SETTINGS_NOTE,
        ],
        series: [
          { name: 'push again, nothing changed', samples: same, amount },
          { name: 'push again, every row rewritten', samples: rewritten, amount },
        ],
        verdicts: [
          atLeast(
            'rows/s, nothing changed ÷ every row rewritten',
            pairRatios(wallTimes(rewritten), wallTimes(same)),
            3,
          ),
        ],
      }
    } finally {
      await database.stop()
    }
  },
}
