/** `validate` compared with only JSON.parse on the same lines. */

import type { Benchmark } from './benchmark.js'
import { BIN } from './child.js'
import { recordsFile } from './inputs.js'
import { alternate, pairRatios, wallTimes, type Sample } from './measure.js'
import { bundled } from './programs.js'
import { atLeast, count, rssBelow } from './report.js'

export const validate: Benchmark = {
  name: 'validate',
  runs: 9,
  async run({ runs, rows, folder, node }) {
    const input = await recordsFile(rows)
    const jsonParse = await bundled('json-parse', folder)
    const loops: Sample[] = []
    const { ours, whole } = await alternate(runs, {
      ours: () => node([BIN, 'validate', input]),
      whole: async () => {
        const run = await node([jsonParse, input])
        loops.push({ wallMs: Number(run.stdout) })
        return run
      },
    })
    const amount = { count: rows, unit: 'lines' }
    return {
      notes: [
        `\`vortex-ingest validate bench/.cache/${rows}.jsonl\` (${count(rows)} lines), the whole process: every rule checked, every id computed and compared.`,
        'Limit: `bench/json-parse.ts`, a process that reads the same file, splits it into lines and parses each. Its calls of JSON.parse are timed by themselves too, in memory: no reading, no splitting, no start-up.',
      ],
      series: [
        { name: 'validate, whole process', samples: ours, amount },
        { name: 'JSON.parse, whole process', samples: whole, amount },
        { name: 'JSON.parse, in memory', samples: loops, amount },
      ],
      verdicts: [
        atLeast('lines/s of validate ÷ JSON.parse, whole process', pairRatios(wallTimes(whole), wallTimes(ours)), 1.2),
        rssBelow('validate', ours, 120),
      ],
    }
  },
}
