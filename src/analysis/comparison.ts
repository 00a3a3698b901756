/** Compares two commits, per series and per dataset. */

import type { Kind } from '../contract/kinds.js'
import {
  geometricMean,
  judge,
  overallVerdict,
  type JudgeOptions,
  type Judgement,
  type OverallVerdict,
  type SeriesChange,
  type SeriesVerdict,
} from './judge.js'
import { pairUp, seriesDimensions, type Measurement, type Sides, type SeriesIdentity } from './series.js'

/** All series of one kind and dataset. */
export type DatasetSummary = {
  readonly kind: Kind
  readonly dataset: string
  /** Number of series that have a ratio. */
  readonly series: number
  readonly ratio: number
}

export type Comparison = Omit<Judgement, 'changes'> & {
  readonly verdict: OverallVerdict
  /** Significant changes first, then the others, each ordered by size of the change, largest first. */
  readonly changes: readonly SeriesChange[]
  readonly datasets: readonly DatasetSummary[]
  readonly onlyBase: readonly SeriesIdentity[]
  readonly onlyHead: readonly SeriesIdentity[]
}

export type KindRows = { readonly kind: Kind; readonly rows: Sides<readonly Measurement[]> }

/** Compares the rows of two commits. */
export function compareCommits(kinds: readonly KindRows[], options: JudgeOptions): Comparison {
  const paired = kinds.map(({ kind, rows }) => pairUp(kind, rows))
  const { changes, ...noise } = judge(
    paired.flatMap(({ pairs }) => pairs),
    options,
  )
  return {
    ...noise,
    verdict: overallVerdict(changes),
    changes: [...changes].sort(byChange),
    datasets: summarizeDatasets(changes),
    onlyBase: paired.flatMap(({ onlyBase }) => onlyBase),
    onlyHead: paired.flatMap(({ onlyHead }) => onlyHead),
  }
}

const REAL: readonly SeriesVerdict[] = ['slower', 'larger', 'faster', 'smaller']

/** Orders significant changes first, then by size of the change. Changes without a ratio come last. */
function byChange(one: SeriesChange, other: SeriesChange): number {
  const [first, second] = [REAL.includes(one.verdict), REAL.includes(other.verdict)]
  return first === second ? changeSize(other) - changeSize(one) : first ? -1 : 1
}

function changeSize({ ratio }: SeriesChange): number {
  return ratio === undefined ? -1 : Math.abs(Math.log(ratio))
}

function summarizeDatasets(changes: readonly SeriesChange[]): readonly DatasetSummary[] {
  const datasets = new Map<string, { kind: Kind; dataset: string; ratios: number[] }>()
  for (const { kind, head, ratio } of changes) {
    if (ratio === undefined) continue
    const dataset = head.dimensions[seriesDimensions(kind).findIndex(({ name }) => name === 'dataset')] ?? ''
    const key = JSON.stringify([kind.kind, dataset])
    const summary = datasets.get(key) ?? { kind, dataset, ratios: [] }
    summary.ratios.push(ratio)
    datasets.set(key, summary)
  }
  return [...datasets.values()]
    .map(({ ratios, ...summary }) => ({ ...summary, series: ratios.length, ratio: geometricMean(ratios) ?? 1 }))
    .sort((a, b) => Math.abs(Math.log(b.ratio)) - Math.abs(Math.log(a.ratio)))
}
