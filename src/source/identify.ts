/** Gives every row of a batch its measurement_id. */

import type { Hash64 } from '../contract/hash64.js'
import { CONTRACT, dimensionsOf, type Kind } from '../contract/kinds.js'
import { Preimage, tableTag } from '../contract/measurement-id.js'
import { ABSENT, STRIDE, type RecordBatch } from './record-batch.js'

type Plan = { readonly tag: Uint8Array; readonly steps: readonly Step[] }
type Step = { readonly field: number; readonly type: 'str' | 'str?' | 'i32' | 'f64' }

const PLANS: readonly Plan[] = CONTRACT.kinds.map(planOf)

function planOf(kind: Kind): Plan {
  const steps = dimensionsOf(kind).map(dimension => ({
    field: kind.fields.indexOf(dimension),
    type: (dimension.optional ? `${dimension.type}?` : dimension.type) as Step['type'],
  }))
  return { tag: tableTag(kind.table), steps }
}

/** Returns the step that fills `batch.ids`; `hash` is asked once a row. */
export function identifier(hash: Hash64): (batch: RecordBatch) => void {
  const preimage = new Preimage()
  return batch => {
    for (let row = 0; row < batch.count; row++) {
      writePreimage(preimage, batch, row)
      // A BigInt64Array reads the 64 bits as signed by itself.
      batch.ids[row] = hash(preimage.bytes())
    }
  }
}

function writePreimage(preimage: Preimage, batch: RecordBatch, row: number): void {
  const { tag, steps } = PLANS[batch.kinds[row]!]!
  const bytes = batch.bytesOf(row)
  preimage.start(tag)
  for (const { field, type } of steps) {
    const start = batch.starts[row * STRIDE + field]!
    const end = batch.ends[row * STRIDE + field]!
    if (type === 'i32') preimage.i32(parseDigits(bytes, start, end))
    else if (type === 'f64') preimage.f64(batch.reals[row]!)
    else if (start === ABSENT) preimage.absent()
    else {
      if (type === 'str?') preimage.present()
      preimage.utf8(bytes, start, end)
    }
  }
}

/** @param bytes an integer token from `start` to `end`, known to fit in 32 bits */
function parseDigits(bytes: Uint8Array, start: number, end: number): number {
  const negative = bytes[start] === 0x2d
  let value = 0
  for (let at = negative ? start + 1 : start; at < end; at++) value = value * 10 + bytes[at]! - 0x30
  return negative ? -value : value
}
