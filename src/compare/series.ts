/** What two commits measured of the same thing. */

import { dimensionsOf, type Field, type Kind } from '../contract/kinds.js'

/** One row of a commit. */
export type Measurement = {
  /** Of `seriesFields`, in their order, as Postgres writes them; null for what is absent. */
  readonly dimensions: readonly (string | null)[]
  /** Nanoseconds or bytes, as the emitter gave them: of times the median of its runs. */
  readonly value: bigint
  /** Undefined for kinds that are not timed. */
  readonly runtimes: readonly bigint[] | undefined
  /** Target triple of the machine that measured, where it is known. */
  readonly platform: string | null
  /** The size before compression; undefined for other kinds and where it is not known. */
  readonly uncompressed: bigint | undefined
}

export type Pair = { readonly kind: Kind; readonly base: Measurement; readonly head: Measurement }

/** A series that only one of the commits has. */
export type Single = { readonly kind: Kind; readonly dimensions: Measurement['dimensions'] }

export type Paired = {
  readonly pairs: readonly Pair[]
  readonly onlyBase: readonly Single[]
  readonly onlyHead: readonly Single[]
}

/** The dimensions that distinguish the series of a kind: every dimension except the commit. */
export function seriesFields(kind: Kind): readonly Field[] {
  return dimensionsOf(kind).filter(({ name }) => name !== 'commit_sha')
}

export type ValueFields = {
  readonly value: 'value_ns' | 'value_bytes'
  /** Whether the kind has runs. */
  readonly timed: boolean
  /** Whether the kind has `uncompressed_bytes`. */
  readonly sized: boolean
}

/** The fields of a kind that hold the compared value, and the fields beside it. */
export function valueFields({ fields }: Kind): ValueFields {
  const has = (field: string): boolean => fields.some(({ name }) => name === field)
  const timed = has('all_runtimes_ns')
  return { value: timed ? 'value_ns' : 'value_bytes', timed, sized: has('uncompressed_bytes') }
}

export type Sides<T> = { readonly base: T; readonly head: T }

export function pairUp(kind: Kind, { base, head }: Sides<readonly Measurement[]>): Paired {
  const left = new Map(base.map(row => [keyOf(row), row]))
  const pairs: Pair[] = []
  const onlyHead: Single[] = []
  for (const row of head) {
    const before = left.get(keyOf(row))
    if (before === undefined) onlyHead.push({ kind, dimensions: row.dimensions })
    else pairs.push({ kind, base: before, head: row })
    left.delete(keyOf(row))
  }
  return { pairs, onlyBase: [...left.values()].map(({ dimensions }) => ({ kind, dimensions })), onlyHead }
}

function keyOf({ dimensions }: Measurement): string {
  return JSON.stringify(dimensions)
}
