/** Wraps a target so that meters show the progress of its deliveries. */

import type { Target } from '../../../delivery/opening.js'
import type { Delivery } from '../../../source/delivery.js'
import type { Sink, SinkOpener } from '../../../targets/sink.js'
import type { Meters } from './meter.js'

/** Receives the number of records of a delivery that the sink has read. Each pass over the delivery begins at 0. */
type MoveTo = (records: number) => void

export function watchedTarget(target: Target, meters: Meters): Target {
  return { ...target, opener: watchedOpener(target.opener, target.name, meters) }
}

/** Wraps each delivery exactly once, because sinks cache data by delivery object. */
function watchedOpener(opener: SinkOpener, name: string, meters: Meters): SinkOpener {
  const movers = new WeakMap<Delivery, { moveTo: MoveTo }>()
  const deliveries = new WeakMap<Delivery, Delivery>()
  const watchedOf = (delivery: Delivery): Delivery => {
    const before = deliveries.get(delivery)
    if (before !== undefined) return before
    const mover: { moveTo: MoveTo } = { moveTo: () => undefined }
    const watched = watchedDelivery(delivery, records => mover.moveTo(records))
    movers.set(watched, mover)
    deliveries.set(delivery, watched)
    return watched
  }
  const write = async (
    sink: Sink,
    ...[delivery, onRetry, settings]: Parameters<Sink['write']>
  ): ReturnType<Sink['write']> => {
    const watched = watchedOf(delivery)
    const total = recordsOf(delivery)
    const meter = meters.start({ label: `${delivery.source} to ${name}`, unit: 'records', total })
    movers.get(watched)!.moveTo = records => meter.moveTo(records)
    try {
      return await sink.write(watched, onRetry, settings)
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

function recordsOf({ counts }: Delivery): number {
  return [...counts.values()].reduce((all, records) => all + records, 0)
}

function watchedDelivery(delivery: Delivery, moveTo: MoveTo): Delivery {
  const pass = { moveTo, total: recordsOf(delivery) }
  return {
    ...delivery,
    rows: chunkBytes => counted(delivery.rows(chunkBytes), { ...pass, recordsIn: ({ rows }) => rows }),
    lines: () => counted(delivery.lines(), { ...pass, recordsIn: ({ bytes }) => linesIn(bytes) }),
  }
}

/**
 * Fraction of the records at which a pass counts as complete. A sink may stop reading when it has everything, and the
 * number of records in a block of lines is only an estimate.
 */
const NEARLY_ALL = 0.98

type Pass<Part> = {
  readonly moveTo: MoveTo
  readonly total: number
  readonly recordsIn: (part: Part) => number
}

async function* counted<Part>(
  parts: AsyncIterable<Part>,
  { moveTo, total, recordsIn }: Pass<Part>,
): AsyncGenerator<Part> {
  let passed = 0
  moveTo(passed)
  for await (const part of parts) {
    // Counted before the yield, because the consumer may reuse the memory of the part.
    const records = recordsIn(part)
    yield part
    passed += records
    moveTo(passed >= total * NEARLY_ALL ? total : passed)
  }
  moveTo(total)
}

/** Number of bytes of a block from which the length of its lines is estimated. */
const LOOK_BYTES = 4096
const LF = 0x0a

/** Estimates the number of lines in a block from its first lines, because counting all of them would be too slow. */
function linesIn(bytes: Buffer): number {
  let found = 0
  let end = 0
  for (let at = bytes.indexOf(LF); at !== -1 && at < LOOK_BYTES; at = bytes.indexOf(LF, at + 1)) {
    found++
    end = at + 1
  }
  return found === 0 ? 1 : Math.round((found * bytes.length) / end)
}
