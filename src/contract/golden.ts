/** Golden vectors: known measurements and their ids, against which an implementation is checked. */

import { isExactObject, type ExactObject, type ExactValue } from './exact-value.js'
import type { Hash64 } from './hash64.js'
import { CONTRACT, dimensionsOf, type Field, type Kind } from './kinds.js'
import { measurementId } from './measurement-id.js'
import { describe } from './shape-problem.js'

export type Vector = { readonly kind: Kind; readonly fields: ExactObject; readonly id: bigint }

export type VectorFile =
  { readonly ok: true; readonly vectors: readonly Vector[] } | { readonly ok: false; readonly message: string }

/** @param value a document in the published format: `{"seed":0,"vectors":[{"table","fields","measurement_id"}]}` */
export function readVectors(value: ExactValue): VectorFile {
  if (!isExactObject(value) || !Array.isArray(value['vectors'])) return { ok: false, message: 'has no array "vectors"' }
  if (value['seed'] !== 0n) return { ok: false, message: 'has another seed than 0' }
  const vectors: Vector[] = []
  for (const [index, entry] of (value['vectors'] as readonly ExactValue[]).entries()) {
    const vector = readVector(entry)
    if (typeof vector === 'string') return { ok: false, message: `/vectors/${index} ${vector}` }
    vectors.push(vector)
  }
  return { ok: true, vectors }
}

/** @returns the vector, or what is wrong with it */
function readVector(entry: ExactValue): Vector | string {
  if (!isExactObject(entry)) return 'is not an object'
  const { table, fields, measurement_id: id } = entry
  const kind = CONTRACT.kinds.find(known => known.table === table)
  if (kind === undefined) return `names no table of the contract: ${describe(table)}`
  if (!isExactObject(fields)) return 'has no object "fields"'
  if (typeof id !== 'bigint' || id !== BigInt.asIntN(64, id)) return 'has no 64-bit integer "measurement_id"'
  const wrong = dimensionsOf(kind).find(field => !hashable(fields[field.name], field))
  return wrong === undefined ? { kind, fields, id } : `has no usable /fields/${wrong.name}`
}

function hashable(value: ExactValue | undefined, { type, optional, conditional }: Field): boolean {
  if (value === undefined || value === null) return optional || conditional !== undefined
  if (type === 'i32') return typeof value === 'bigint' && BigInt.asIntN(32, value) === value
  if (type === 'f64') return typeof value === 'bigint' || typeof value === 'number'
  return typeof value === 'string'
}

export type Mismatch = {
  readonly index: number
  readonly table: string
  readonly expected: string
  readonly got: string
}

/** The vectors whose id `hash` does not give. */
export function mismatches(vectors: readonly Vector[], hash: Hash64): readonly Mismatch[] {
  const found: Mismatch[] = []
  for (const [index, { kind, fields, id }] of vectors.entries()) {
    const got = measurementId(kind, fields, hash)
    if (got !== id) found.push({ index, table: kind.table, expected: id.toString(), got: got.toString() })
  }
  return found
}
