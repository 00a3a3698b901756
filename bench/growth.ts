/** Pushes of growing size: time and memory per row. */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Benchmark } from './benchmark.js'
import { SETTINGS_NOTE, startDatabase } from './database.js'
import { recordsFile } from './inputs.js'
import { alternate, pairRatios, spread, wallTimes, type Sample } from './measure.js'
import { limitRun, pushRun } from './push.js'
import { atMost, count, rssBelow } from './report.js'
import { writeCopyFiles } from './server-copy.js'

export const growth: Benchmark = {
  name: 'growth',
  // Each run takes about two minutes.
  runs: 5,
  async run({ runs, rows, folder, node }) {
    const sizes = [rows / 10, rows, rows * 4]
    const database = await startDatabase({ tls: false })
    try {
      const sides: Record<string, () => Promise<Sample>> = {}
      for (const size of sizes) {
        const input = await recordsFile(size)
        const place = join(folder, String(size))
        await mkdir(place)
        const files = await writeCopyFiles(input, place)
        sides[ours(size)] = () => pushRun({ database, node, input, rows: size })
        sides[limit(size)] = () => limitRun(database, files)
      }
      const samples = await alternate(runs, sides)
      const timesOf = (name: string): readonly number[] => wallTimes(samples[name] ?? [])
      const perRow = (name: (size: number) => string): readonly (readonly number[])[] =>
        sizes.map(size => timesOf(name(size)).map(ms => ms / size))
      const largest = Math.max(...sizes)
      return {
        notes: [
          `The commands of \`push\` over ${sizes.map(count).join(', ')} rows; the limit is the server-side load of \`push\`, to tell the server's growth from ours.`,
          SETTINGS_NOTE,
        ],
        series: sizes.flatMap(size =>
          [ours(size), limit(size)].map(name => ({
            name,
            samples: samples[name] ?? [],
            amount: { count: size, unit: 'rows' },
          })),
        ),
        verdicts: [
          atMost('time per row, slowest size ÷ fastest, push', slowestToFastest(perRow(ours)), 1.3),
          atMost('the same, server-side alone', slowestToFastest(perRow(limit)), 1.3),
          atMost(`${ours(largest)} ÷ server-side`, pairRatios(timesOf(ours(largest)), timesOf(limit(largest))), 1.2),
          ...sizes.map(size => rssBelow(ours(size), samples[ours(size)] ?? [], 160)),
        ],
      }
    } finally {
      await database.stop()
    }
  },
}

const ours = (size: number): string => `push ${count(size)}`
const limit = (size: number): string => `server-side ${count(size)}`

/** @param perRow for each size, the time per row in each round */
function slowestToFastest(perRow: readonly (readonly number[])[]): ReturnType<typeof spread> {
  const rounds = perRow[0]?.map((_, round) => perRow.map(times => times[round] ?? NaN)) ?? []
  return spread(rounds.map(times => Math.max(...times) / Math.min(...times)))
}
