/** A target that tells how far its deliveries are, and what they did. */

import { nameOf, type Target } from '../../delivery/opening.js'
import type { Delivery, Sink, SinkOpener, StagedRows } from '../../sink/sink.js'
import type { LineBlock } from '../../source/lines.js'
import type { Meters } from './meter.js'

type Count = (records: number) => void

export function watchedTarget(target: Target, meters: Meters): Target {
  return { ...target, opener: watchedOpener(target.opener, nameOf(target), meters) }
}

/** What a sink knows of a delivery it keeps by the delivery itself, so each has one that is watched, and only one. */
function watchedOpener(opener: SinkOpener, name: string, meters: Meters): SinkOpener {
  const counters = new WeakMap<Delivery, { count: Count }>()
  const deliveries = new WeakMap<Delivery, Delivery>()
  const watchedOf = (delivery: Delivery): Delivery => {
    const before = deliveries.get(delivery)
    if (before !== undefined) return before
    const counter: { count: Count } = { count: () => undefined }
    const watched = watchedDelivery(delivery, records => counter.count(records))
    counters.set(watched, counter)
    deliveries.set(delivery, watched)
    return watched
  }
  const write = async (sink: Sink, ...[delivery, onRetry]: Parameters<Sink['write']>): ReturnType<Sink['write']> => {
    const watched = watchedOf(delivery)
    const total = [...delivery.counts.values()].reduce((all, records) => all + records, 0)
    const meter = meters.start({ label: `${delivery.source} to ${name}`, unit: 'records', total })
    counters.get(watched)!.count = records => meter.add(records)
    try {
      return await sink.write(watched, onRetry)
    } finally {
      meters.finish(meter)
    }
  }
  const { refuses } = opener
  return {
    ...opener,
    ...(refuses !== undefined && { refuses: delivery => refuses(watchedOf(delivery)) }),
    async open(signal) {
      const sink = await opener.open(signal)
      return { write: (...params) => write(sink, ...params), close: () => sink.close() }
    },
  }
}

/** A delivery that is begun again, because it failed, counts from its start. */
function watchedDelivery(delivery: Delivery, count: Count): Delivery {
  return {
    ...delivery,
    rows: () => countedRows(delivery.rows(), count),
    lines: () => countedLines(delivery.lines(), count),
  }
}

async function* countedRows(rows: AsyncIterable<StagedRows>, count: Count): AsyncGenerator<StagedRows> {
  let passed = 0
  try {
    for await (const chunk of rows) {
      yield chunk
      count(chunk.rows)
      passed += chunk.rows
    }
    passed = 0
  } finally {
    count(-passed)
  }
}

/** How many bytes of a block are looked at to see how long its lines are. */
const LOOK_BYTES = 4096
const LF = 0x0a

async function* countedLines(lines: AsyncIterable<LineBlock>, count: Count): AsyncGenerator<LineBlock> {
  let passed = 0
  try {
    for await (const block of lines) {
      const records = linesIn(block.bytes)
      yield block
      count(records)
      passed += records
    }
    passed = 0
  } finally {
    count(-passed)
  }
}

/** About: counting them all would cost what it tells. */
function linesIn(bytes: Buffer): number {
  const looked = Math.min(bytes.length, LOOK_BYTES)
  let found = 0
  for (let at = bytes.indexOf(LF); at !== -1 && at < looked; at = bytes.indexOf(LF, at + 1)) found++
  return Math.max(1, Math.round((found * bytes.length) / looked))
}
