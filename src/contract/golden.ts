/** Golden vectors: measurements with known ids, used to check an implementation of the measurement id. */

import { isExactObject, type ExactObject, type ExactValue } from './exact-value.js'
import type { Hash64 } from './hash64.js'
import { CONTRACT, CONTRACTS, dimensionsOf, type Contract, type Field, type Kind } from './kinds.js'
import { measurementId } from './measurement-id.js'
import { describe } from './shape-problem.js'

export type Vector = { readonly kind: Kind; readonly fields: ExactObject; readonly id: bigint }

export type VectorFile =
  | { readonly ok: true; readonly contractVersion: number; readonly vectors: readonly Vector[] }
  | { readonly ok: false; readonly message: string }

/** Path in the package of the golden vectors of a contract version. The file name of version 1 has no number. */
export function goldenFile(version: number): string {
  return version === 1 ? 'golden/measurement-id.json' : `golden/measurement-id-v${version}.json`
}

/**
 * Parses a document in the published format:
 * `{"contract_version":3,"seed":0,"vectors":[{"table","fields","measurement_id"}]}`.
 * A document without `contract_version` is read as the newest version, in which records of older versions keep their ids.
 */
export function readVectors(value: ExactValue): VectorFile {
  if (!isExactObject(value) || !Array.isArray(value['vectors'])) return { ok: false, message: 'has no array "vectors"' }
  if (value['seed'] !== 0n) return { ok: false, message: 'has another seed than 0' }
  const contract = statedContract(value['contract_version'])
  if (contract === undefined) return { ok: false, message: unknownVersion(value['contract_version']) }
  const vectors: Vector[] = []
  for (const [index, entry] of (value['vectors'] as readonly ExactValue[]).entries()) {
    const vector = readVector(contract, entry)
    if (typeof vector === 'string') return { ok: false, message: `/vectors/${index} ${vector}` }
    vectors.push(vector)
  }
  return { ok: true, contractVersion: contract.version, vectors }
}

function statedContract(version: ExactValue | undefined): Contract | undefined {
  if (version === undefined) return CONTRACT
  return typeof version === 'bigint' ? CONTRACTS.get(Number(version)) : undefined
}

function unknownVersion(version: ExactValue | undefined): string {
  const known = [...CONTRACTS.keys()].join(', ')
  return `has a "contract_version" that is none of ${known}: ${describe(version)}`
}

/** @returns the vector, or a message about the problem */
function readVector(contract: Contract, entry: ExactValue): Vector | string {
  if (!isExactObject(entry)) return 'is not an object'
  const { table, fields, measurement_id: id } = entry
  const kind = contract.kinds.find(known => known.table === table)
  if (kind === undefined) return `names no table of the contract: ${describe(table)}`
  if (!isExactObject(fields)) return 'has no object "fields"'
  if (typeof id !== 'bigint' || id !== BigInt.asIntN(64, id)) return 'has no 64-bit integer "measurement_id"'
  const wrong = dimensionsOf(kind).find(field => !isHashable(fields[field.name], field))
  return wrong === undefined ? { kind, fields, id } : `has no usable /fields/${wrong.name}`
}

function isHashable(value: ExactValue | undefined, { type, optional, conditional }: Field): boolean {
  if (value === undefined) return optional || conditional !== undefined
  if (value === null) return optional
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

/** The vectors for which `hash` gives a different id. */
export function mismatches(vectors: readonly Vector[], hash: Hash64): readonly Mismatch[] {
  const found: Mismatch[] = []
  for (const [index, { kind, fields, id }] of vectors.entries()) {
    const got = measurementId(kind, fields, hash)
    if (got !== id) found.push({ index, table: kind.table, expected: id.toString(), got: got.toString() })
  }
  return found
}
