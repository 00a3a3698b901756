/** Two commits, series by series and suite by suite. */

import type { Kind } from '../contract/kinds.js'
import { judge, type Change, type Verdict } from './judge.js'
import { geometricMean } from './ratio.js'
import { pairUp, seriesFields, type Measurement, type Sides, type Single } from './series.js'

/** The series of one kind and data set together. */
export type Suite = {
  readonly kind: Kind
  readonly dataset: string
  /** Those with a ratio. */
  readonly series: number
  readonly ratio: number
}

export type Comparison = {
  /** What really changed, then the rest; of both what changed most comes first. */
  readonly changes: readonly Change[]
  readonly suites: readonly Suite[]
  readonly onlyBase: readonly Single[]
  readonly onlyHead: readonly Single[]
}

export type KindRows = { readonly kind: Kind; readonly rows: Sides<readonly Measurement[]> }

/** @param threshold as `judge` takes it */
export function compareCommits(kinds: readonly KindRows[], threshold: number): Comparison {
  const paired = kinds.map(({ kind, rows }) => pairUp(kind, rows))
  const changes = judge(
    paired.flatMap(({ pairs }) => pairs),
    threshold,
  )
  return {
    changes: [...changes].sort(byChange),
    suites: suitesOf(changes),
    onlyBase: paired.flatMap(({ onlyBase }) => onlyBase),
    onlyHead: paired.flatMap(({ onlyHead }) => onlyHead),
  }
}

const REAL: readonly Verdict[] = ['slower', 'larger', 'faster', 'smaller']

/** What has no ratio comes last. */
function byChange(one: Change, other: Change): number {
  const [first, second] = [REAL.includes(one.verdict), REAL.includes(other.verdict)]
  return first === second ? sizeOf(other) - sizeOf(one) : first ? -1 : 1
}

function sizeOf({ ratio }: Change): number {
  return ratio === undefined ? -1 : Math.abs(Math.log(ratio))
}

function suitesOf(changes: readonly Change[]): readonly Suite[] {
  const suites = new Map<string, { kind: Kind; dataset: string; ratios: number[] }>()
  for (const { kind, head, ratio } of changes) {
    if (ratio === undefined) continue
    const dataset = head.dimensions[seriesFields(kind).findIndex(({ name }) => name === 'dataset')] ?? ''
    const key = JSON.stringify([kind.kind, dataset])
    const suite = suites.get(key) ?? { kind, dataset, ratios: [] }
    suite.ratios.push(ratio)
    suites.set(key, suite)
  }
  return [...suites.values()]
    .map(({ ratios, ...suite }) => ({ ...suite, series: ratios.length, ratio: geometricMean(ratios) ?? 1 }))
    .sort((a, b) => Math.abs(Math.log(b.ratio)) - Math.abs(Math.log(a.ratio)))
}
