/** Computes the measurement_id of every row of a batch. */

import type { Hash64 } from '../contract/hash64.js'
import { CONTRACT, dimensionsOf, type Kind } from '../contract/kinds.js'
import { Preimage, putByte, putF64, putI32, putText, tableTag } from '../contract/measurement-id.js'
import { copyBytes, startsWith, toToken, wordView, type Token } from '../contract/words.js'
import { ABSENT, STRIDE, type RecordBatch } from './record-batch.js'

type Plan = { readonly tag: DataView; readonly tagLength: number; readonly steps: readonly Step[] }
type Step = {
  readonly field: number
  readonly type: 'str' | 'i32' | 'f64'
  readonly optional: boolean
  /** The default of a conditional dimension. The dimension is not hashed when it is absent or has this value. */
  readonly unless: Token | undefined
}

const PLANS: readonly Plan[] = CONTRACT.kinds.map(createPlan)

function createPlan(kind: Kind): Plan {
  const tag = tableTag(kind.table)
  const steps = dimensionsOf(kind).map(dimension => ({
    field: kind.fields.indexOf(dimension),
    type: dimension.type as Step['type'],
    optional: dimension.optional,
    unless: dimension.conditional === undefined ? undefined : toToken(Buffer.from(dimension.conditional)),
  }))
  return { tag: wordView(tag), tagLength: tag.length, steps }
}

/** Upper bound for the table tag and the fixed-size parts of any kind's dimensions. */
const FIXED_BYTES = 256

/** Returns a function that fills `batch.ids`. `hash` is called once per row. */
export function createIdentifier(hash: Hash64): (batch: RecordBatch) => void {
  const preimage = new Preimage()
  return batch => {
    preimage.reserve(FIXED_BYTES + batch.longestText)
    for (let row = 0; row < batch.count; row++) {
      // Storing into a BigInt64Array reinterprets the unsigned hash as a signed number.
      batch.ids[row] = hash(preimage.bytes(layOut(preimage.view, batch, row)))
    }
  }
}

/**
 * Writes the bytes to hash for one row.
 * @returns the number of bytes
 */
function layOut(to: DataView, batch: RecordBatch, row: number): number {
  const { tag, tagLength, steps } = PLANS[batch.kinds[row]!]!
  const { starts, ends, reals } = batch
  const from = batch.viewOf(row)
  let at = copyBytes(to, 0, tag, 0, tagLength)
  for (const { field, type, optional, unless } of steps) {
    const start = starts[row * STRIDE + field]!
    const end = ends[row * STRIDE + field]!
    if (unless !== undefined && (start === ABSENT || isToken(from, { start, end, token: unless }))) continue
    if (type === 'i32') at = putI32(to, at, parseDigits(from, start, end))
    else if (type === 'f64') at = putF64(to, at, reals[row]!)
    else if (start === ABSENT) at = putByte(to, at, 0)
    else {
      if (optional) at = putByte(to, at, 1)
      at = putText(to, at, from, start, end)
    }
  }
  return at
}

type Compared = { readonly start: number; readonly end: number; readonly token: Token }

/** Whether a field equals a token. */
function isToken(bytes: DataView, { start, end, token }: Compared): boolean {
  return end - start === token.length && startsWith(bytes, start, token)
}

/**
 * Parses an integer.
 * @param bytes contains an integer token from `start` to `end` that fits in 32 bits
 */
function parseDigits(bytes: DataView, start: number, end: number): number {
  const negative = bytes.getUint8(start) === 0x2d
  let value = 0
  for (let at = negative ? start + 1 : start; at < end; at++) value = value * 10 + bytes.getUint8(at) - 0x30
  return negative ? -value : value
}
