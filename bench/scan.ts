/** The fast reader on records of contract version 1 and on the same records in version 3, in this process. */

import { readFile } from 'node:fs/promises'
import type { LineBlock } from '../src/source/lines.js'
import { readRecords } from '../src/source/records.js'
import type { Benchmark } from './benchmark.js'
import { recordsFile } from './inputs.js'
import { alternate, pairRatios, wallTimes, type Sample } from './measure.js'
import { atLeast, count } from './report.js'

/** Many short runs are compared pairwise, because the machine may be busy. */
const RUNS = 101
const ROWS_SHARE = 10
const BLOCK_BYTES = 256 * 1024

export const scan: Benchmark = {
  name: 'scan',
  runs: RUNS,
  async run({ runs, rows }) {
    const amount = rows / ROWS_SHARE
    const oldest = await readFile(await recordsFile(amount), 'utf8')
    const [first, newest] = [blocksOf(oldest), blocksOf(asVersion3(oldest))]
    // The first pass over each input lets the JIT compile the code.
    for (const blocks of [first, newest]) await readAll(blocks, amount)
    const samples = await alternate(runs, {
      version1: () => readAll(first, amount),
      version3: () => readAll(newest, amount),
    })
    const [version1, version3] = [wallTimes(samples.version1), wallTimes(samples.version3)]
    const longer = bytesOf(newest) / bytesOf(first)
    return {
      notes: [
        `\`readRecords\` (src/source/records.ts) over ${count(amount)} lines in memory, in the process of the benchmark: no file, no ids.`,
        `The lines of version 3 are the same with \`uncompressed_bytes\` and \`open_mode\`, ${((longer - 1) * 100).toFixed(1)} % more bytes. Runs of both alternate.`,
      ],
      series: [
        { name: 'version 1', samples: samples.version1, amount: { count: amount, unit: 'lines' } },
        { name: 'version 3', samples: samples.version3, amount: { count: amount, unit: 'lines' } },
      ],
      verdicts: [atLeast('lines/s of version 3 ÷ version 1', pairRatios(version1, version3), 0.97)],
    }
  },
}

/** Adds the fields of versions 2 and 3 at the places where emitters write them. */
function asVersion3(lines: string): string {
  return lines
    .replace(/("kind":"compression_size".*"value_bytes":\d+)/g, '$1,"uncompressed_bytes":1073741824')
    .replace(/("kind":"random_access_time".*?"format":"[^"]*")/g, '$1,"open_mode":"cached"')
}

function blocksOf(text: string): readonly LineBlock[] {
  const bytes = Buffer.from(text)
  const blocks: LineBlock[] = []
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf('\n', Math.min(start + BLOCK_BYTES, bytes.length - 1)) + 1
    blocks.push({ bytes: bytes.subarray(start, end), firstByte: start, tooLong: false })
    start = end
  }
  return blocks
}

async function readAll(blocks: readonly LineBlock[], amount: number): Promise<Sample> {
  const start = performance.now()
  let records = 0
  for await (const { batch } of readRecords(each(blocks), { source: 'memory' })) records += batch.count
  if (records !== amount) throw new Error(`${records} of ${amount} lines were read as records`)
  return { wallMs: performance.now() - start }
}

async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values
}

function bytesOf(blocks: readonly LineBlock[]): number {
  return blocks.reduce((all, { bytes }) => all + bytes.length, 0)
}
