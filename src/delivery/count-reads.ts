/** Counts the records of a delivery as its sink reads them. */

import type { Delivery } from '../source/delivery.js'

/** The same delivery. `onRead` gets the number of records read so far; each pass over the delivery starts at 0. */
export function countReads(delivery: Delivery, onRead: (records: number) => void): Delivery {
  const pass = { onRead, total: countRecords(delivery) }
  return {
    ...delivery,
    rows: chunkBytes => counted(delivery.rows(chunkBytes), { ...pass, recordsIn: ({ rows }) => rows }),
    lines: () => counted(delivery.lines(), { ...pass, recordsIn: ({ bytes }) => linesIn(bytes) }),
  }
}

/** Number of records of a delivery. */
export function countRecords({ counts }: Pick<Delivery, 'counts'>): number {
  return [...counts.values()].reduce((all, records) => all + records, 0)
}

/**
 * Fraction of the records at which a pass counts as complete. A sink may stop reading when it has everything, and the
 * number of records in a block of lines is only an estimate.
 */
const NEARLY_ALL = 0.98

type Pass<Part> = {
  readonly onRead: (records: number) => void
  readonly total: number
  readonly recordsIn: (part: Part) => number
}

async function* counted<Part>(
  parts: AsyncIterable<Part>,
  { onRead, total, recordsIn }: Pass<Part>,
): AsyncGenerator<Part> {
  let passed = 0
  onRead(passed)
  for await (const part of parts) {
    // Counted before the yield, because the consumer may reuse the memory of the part.
    const records = recordsIn(part)
    yield part
    passed += records
    onRead(passed >= total * NEARLY_ALL ? total : passed)
  }
  onRead(total)
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
