/** Computed measurement ids per second on one thread, in this process. */

import { readFile } from 'node:fs/promises'
import { jsHash64, wasmHash64, type Hash64 } from '../src/contract/hash64.js'
import { createIdentifier } from '../src/source/identify.js'
import type { LineBlock } from '../src/source/lines.js'
import type { RecordBatch } from '../src/source/record-batch.js'
import { readRecords } from '../src/source/records.js'
import type { Benchmark } from './benchmark.js'
import { recordsFile } from './inputs.js'
import { alternate, spread, wallTimes, type Sample } from './measure.js'
import { atLeast, count } from './report.js'

const TARGET = 400_000
/** xxhashjs is about fifty times slower, so it gets a smaller share of the records. */
const SLOW_SHARE = 20

export const ids: Benchmark = {
  name: 'ids',
  runs: 9,
  async run({ runs, rows }) {
    const amount = rows / 5
    const input = await recordsFile(amount)
    const batches = await prepare(input)
    const few = batches.slice(0, Math.ceil(batches.length / SLOW_SHARE))
    const [wasm, js] = [await wasmHash64(), await jsHash64()]
    const preimages = collectPreimages(batches)
    const samples = await alternate(runs, {
      wasm: () => identifyAll(batches, wasm),
      limit: () => hashAll(preimages, wasm),
      js: () => identifyAll(few, js),
    })
    const rate = spread(wallTimes(samples.wasm).map(ms => (amount / ms) * 1000))
    return {
      notes: [
        `\`identify\` (src/source/identify.ts) over ${count(amount)} parsed records, in the process of the benchmark.`,
        'Limit: the hash alone over the same bytes, already laid out. xxhashjs, the second opinion, is timed on fewer records.',
      ],
      series: [
        { name: 'identify with xxhash-wasm', samples: samples.wasm, amount: { count: amount, unit: 'ids' } },
        { name: 'xxhash-wasm alone', samples: samples.limit, amount: { count: amount, unit: 'ids' } },
        { name: 'identify with xxhashjs', samples: samples.js, amount: { count: countRows(few), unit: 'ids' } },
      ],
      verdicts: [{ ...atLeast('ids/s', rate, TARGET), seen: count(rate.median), mustReach: `≥ ${count(TARGET)}` }],
    }
  },
}

/** Each block gets a reader of its own, because a reader reuses the memory of its batch for the next block. */
async function prepare(input: string): Promise<readonly RecordBatch[]> {
  const bytes = await readFile(input)
  const batches: RecordBatch[] = []
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf('\n', Math.min(start + 256 * 1024, bytes.length - 1)) + 1
    const block: LineBlock = { bytes: bytes.subarray(start, end), firstByte: start, tooLong: false }
    for await (const { batch } of readRecords(once(block), { source: input })) batches.push(batch)
    start = end
  }
  return batches
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value
}

function collectPreimages(batches: readonly RecordBatch[]): readonly Uint8Array[] {
  const preimages: Uint8Array[] = []
  const identify = createIdentifier(bytes => {
    preimages.push(bytes.slice())
    return 0n
  })
  for (const batch of batches) identify(batch)
  return preimages
}

async function identifyAll(batches: readonly RecordBatch[], hash: Hash64): Promise<Sample> {
  const identify = createIdentifier(hash)
  return timed(() => batches.forEach(identify))
}

async function hashAll(preimages: readonly Uint8Array[], hash: Hash64): Promise<Sample> {
  return timed(() => preimages.forEach(hash))
}

function timed(work: () => void): Sample {
  const started = performance.now()
  work()
  return { wallMs: performance.now() - started }
}

function countRows(batches: readonly RecordBatch[]): number {
  return batches.reduce((all, batch) => all + batch.count, 0)
}
