import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { wasmHash64 } from '../../src/contract/hash64.js'
import { push } from '../../src/delivery/push.js'
import { fileDelivery, flawEvents } from '../../src/delivery/read-files.js'
import { inspectAll } from '../../src/source/inspect-all.js'
import { RowCache } from '../../src/delivery/row-cache.js'
import { sumReceipt, type Delivery } from '../../src/source/delivery.js'
import type { Sink, SinkOpener } from '../../src/targets/sink.js'
import { fileSource, type Source } from '../../src/source/source.js'
import { size } from '../fixtures/delivery.js'
import { COMMIT, query, RUN } from '../fixtures/records.js'

const hash = await wasmHash64()
const signal = new AbortController().signal
const options = { ...flawEvents(() => undefined), signal }

t.test('the rows kept by the first pass equal those of a second pass, each time they are read', async t => {
  const [first, second, third] = sourcesOf(t.testdir(), [lines('a', 40), lines('b', 30), lines('c', 20)])
  const sources = [first!, second!, third!]
  const inspections = await inspectAll(sources, options)
  const bytesOf = async (source: Source): Promise<number> =>
    (await rows(deliveries(sources, inspections)[sources.indexOf(source as Counted)]!)).join('').length
  const most = (await bytesOf(first!)) + (await bytesOf(second!))

  const cache = new RowCache<Source>(hash, most)
  await inspectAll(sources, { ...options, onBatch: (source, batch) => cache.add(source, batch) })
  const again = deliveries(sources, inspections)
  for (const [at, delivery] of deliveries(sources, inspections, cache).entries()) {
    const expected = await rows(again[at]!)
    const opened = sources[at]!.opened
    for (let time = 0; time < 2; time++) t.strictSame(await rows(delivery), expected)
    t.equal(sources[at]!.opened - opened, at === 2 ? 2 : 0, 'what is too much is read again')
  }
  const before = first!.opened
  await rows(deliveries(sources, inspections, cache)[0]!, 100)
  t.equal(first!.opened - before, 1, 'smaller chunks are made anew')
})

t.test('a push reads a small source once for a database, and keeps no rows for targets that take lines', async t => {
  for (const [takes, opened] of [
    ['rows', 1],
    ['lines', 2],
  ] as const) {
    const [source] = sourcesOf(t.testdir(), [lines('a', 40)])
    let seen = 0
    const write = async (delivery: Delivery): ReturnType<Sink['write']> => {
      if (takes === 'rows') for await (const { rows } of delivery.rows()) seen += rows
      else for await (const { bytes } of delivery.lines()) seen += bytes.toString().trimEnd().split('\n').length
      return sumReceipt([])
    }
    const opener: SinkOpener = {
      ...{ id: 'x', description: 'x', opensEarly: false },
      ...(takes === 'rows' && { readsRows: true }),
      open: async () => ({ write, close: async () => undefined }),
    }
    const targets = [{ name: 'postgres', kind: 'postgres', opener }]
    await push([source!], { commit: async () => COMMIT, run: RUN, targets })
    t.equal(seen, 80)
    t.equal(source!.opened, opened, takes)
  }
})

type Counted = Source & { readonly opened: number }

function sourcesOf(folder: string, contents: readonly string[]): readonly Counted[] {
  return contents.map((content, at) => {
    const path = join(folder, `${at}.jsonl`)
    writeFileSync(path, content)
    const source = fileSource(path)
    let opened = 0
    const open: Source['open'] = () => {
      opened++
      return source.open()
    }
    return Object.defineProperty({ ...source, open }, 'opened', { get: () => opened }) as unknown as Counted
  })
}

/** Lines of two kinds, alternating. */
function lines(name: string, each: number): string {
  const pairs = Array.from({ length: each }, (_, at) => [size(`${name}\t${at}`, at), query({ query_idx: at + 1 })])
  return `${pairs.flat().join('\n')}\n`
}

function deliveries(
  sources: readonly Source[],
  inspections: Awaited<ReturnType<typeof inspectAll>>,
  cache?: RowCache<Source>,
): readonly Delivery[] {
  const more = { commit: COMMIT, cache, run: RUN, hash, signal }
  return sources.map((source, at) => fileDelivery(source, { ...more, inspection: inspections[at]! }))
}

async function rows(delivery: Delivery, chunkBytes?: number): Promise<readonly string[]> {
  const chunks: string[] = []
  for await (const { kind, rows, text } of delivery.rows(chunkBytes))
    chunks.push(`${kind.kind} ${rows}\n${text.toString()}`)
  return chunks
}
