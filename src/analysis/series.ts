/** Pairs the measurements of two commits by series. */

import { dimensionsOf, type Field, type Kind } from '../contract/kinds.js'

/** Default of the smallest ratio that counts as a change of a series between two commits. */
export const DEFAULT_THRESHOLD = 1.03

/** One row of a commit. */
export type Measurement = {
  /** Values of the `seriesFields`, in their order, as Postgres formats them; null when absent. */
  readonly dimensions: readonly (string | null)[]
  /** Nanoseconds or bytes as emitted. For durations, usually the median of the runs. */
  readonly value: bigint
  /** Duration of each run in nanoseconds; undefined for kinds without durations. */
  readonly runtimes: readonly bigint[] | undefined
  /** Target triple of the measuring machine; null when unknown. */
  readonly platform: string | null
  /** The size before compression; undefined for other kinds and where it is not known. */
  readonly uncompressed: bigint | undefined
}

/** The spread of at least this many runs shows the noise within a job. */
export const MIN_RUNTIMES = 4

export type Pair = { readonly kind: Kind; readonly base: Measurement; readonly head: Measurement }

/** The kind and dimensions that distinguish a series from all others. */
export type SeriesIdentity = { readonly kind: Kind; readonly dimensions: Measurement['dimensions'] }

/**
 * The words that name a series, such as `query_measurement tpch 10 q7 nvme datafusion vortex`.
 * @param openModes the words for each value of `open_mode`
 */
export function seriesName({ kind, dimensions }: SeriesIdentity, openModes: Readonly<Record<string, string>>): string {
  const words = seriesDimensions(kind).map(({ name }, index) => {
    const value = dimensions[index] ?? ''
    if (name === 'open_mode') return openModes[value] ?? value
    return name === 'query_idx' ? `q${value}` : value
  })
  return [kind.kind, ...words.filter(word => word !== '')].join(' ')
}

/** Names of the open modes: files that stay open between accesses are hot, files that are opened each time are cold. */
export const OPEN_MODES: Readonly<Record<string, string>> = { cached: '(hot)', reopen: '(cold)' }

export type Paired = {
  readonly pairs: readonly Pair[]
  readonly onlyBase: readonly SeriesIdentity[]
  readonly onlyHead: readonly SeriesIdentity[]
}

/** The dimensions that distinguish the series of a kind: every dimension except the commit. */
export function seriesDimensions(kind: Kind): readonly Field[] {
  return dimensionsOf(kind).filter(({ name }) => name !== 'commit_sha')
}

export type ValueFields = {
  readonly value: 'value_ns' | 'value_bytes'
  /** Whether the kind measures durations. */
  readonly timed: boolean
  /** Whether the kind has `uncompressed_bytes`. */
  readonly sized: boolean
}

/** The fields of a kind that hold the compared value, and whether it has runtimes and an uncompressed size. */
export function valueFields({ fields }: Kind): ValueFields {
  const has = (field: string): boolean => fields.some(({ name }) => name === field)
  const timed = has('all_runtimes_ns')
  return { value: timed ? 'value_ns' : 'value_bytes', timed, sized: has('uncompressed_bytes') }
}

export type Sides<T> = { readonly base: T; readonly head: T }

export function pairUp(kind: Kind, { base, head }: Sides<readonly Measurement[]>): Paired {
  const left = new Map(base.map(row => [seriesKey(row), row]))
  const pairs: Pair[] = []
  const onlyHead: SeriesIdentity[] = []
  for (const row of head) {
    const before = left.get(seriesKey(row))
    if (before === undefined) onlyHead.push({ kind, dimensions: row.dimensions })
    else pairs.push({ kind, base: before, head: row })
    left.delete(seriesKey(row))
  }
  return { pairs, onlyBase: [...left.values()].map(({ dimensions }) => ({ kind, dimensions })), onlyHead }
}

export function seriesKey({ dimensions }: Pick<Measurement, 'dimensions'>): string {
  return JSON.stringify(dimensions)
}
