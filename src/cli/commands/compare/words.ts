/** Wording of a comparison, shared by the formats for people. */

import {
  FEWEST_RUNTIMES,
  fewestToBeReal,
  isRegression,
  MOST_CHANCE,
  type SeriesChange,
  type SeriesVerdict,
} from '../../../analysis/judge.js'
import { seriesDimensions, valueFields, type Single } from '../../../analysis/series.js'
import type { Access } from '../../../database/queries/commit-access.js'
import type { CompareResult } from '../../../delivery/compare.js'
import type { CommitSummary } from '../../../database/queries/commits.js'
import { oneLine } from '../../../visible-text.js'
import { count, plural } from '../../output/report.js'

const VERDICTS: readonly SeriesVerdict[] = [
  'slower',
  'larger',
  'faster',
  'smaller',
  'unproven',
  'unjudged',
  'unchanged',
]

export function tally(changes: readonly SeriesChange[]): Readonly<Record<SeriesVerdict, number>> {
  const of = (verdict: SeriesVerdict): number => changes.filter(change => change.verdict === verdict).length
  return Object.fromEntries(VERDICTS.map(verdict => [verdict, of(verdict)])) as Record<SeriesVerdict, number>
}

export type Headline = { readonly good: boolean; readonly word: string; readonly rest: string }

/** The first line of a comparison: the worst verdict, then the number of series per verdict. */
export function headline({ changes, base, head, target }: CompareResult): Headline {
  const against = `${short(head)} against ${short(base)} in ${target}`
  if (changes.length === 0) return { good: false, word: 'nothing compared:', rest: `no series is in both, ${against}` }
  const counts = tally(changes)
  const said = VERDICTS.filter(verdict => counts[verdict] > 0).map(verdict => `${count(counts[verdict])} ${verdict}`)
  const good = !changes.some(isRegression)
  const word = good ? (counts.faster + counts.smaller > 0 ? 'better:' : 'no change:') : 'regressed:'
  return { good, word, rest: `${said.join(', ')} of ${plural(changes.length, 'series', 'series')}; ${against}` }
}

function short({ sha }: CommitSummary): string {
  return sha.slice(0, 7)
}

export type SeriesNamer = (series: Single) => string

/**
 * Names series: `query_measurement tpch 10 q7 nvme datafusion vortex`. The name of a random access series ends with `(hot)` or
 * `(cold)`, unless all of them are hot.
 * @param all the series that are shown together
 */
export function seriesNamer(all: readonly Single[]): SeriesNamer {
  const words = all.some(isCold) ? { cached: '(hot)', reopen: '(cold)' } : { cached: '' }
  return ({ kind, dimensions }) => {
    const parts = seriesDimensions(kind).map(({ name }, index) => {
      const value = dimensions[index] ?? ''
      if (name === 'open_mode') return (words as Readonly<Record<string, string>>)[value] ?? value
      return name === 'query_idx' ? `q${value}` : value
    })
    return oneLine([kind.kind, ...parts.filter(part => part !== '')].join(' '))
  }
}

function isCold({ kind, dimensions }: Single): boolean {
  return seriesDimensions(kind).some(({ name }, index) => name === 'open_mode' && dimensions[index] === 'reopen')
}

export function comparedNamer({ changes, onlyBase, onlyHead }: CompareResult): SeriesNamer {
  return seriesNamer([...changes.map(seriesOf), ...onlyBase, ...onlyHead])
}

export function seriesOf({ kind, head }: SeriesChange): Single {
  return { kind, dimensions: head.dimensions }
}

/** Both values with their unit and every digit, such as `12,345 → 9,876 ns`. */
export function valuesOf({ kind, base, head }: SeriesChange): string {
  return `${count(base.value)} → ${count(head.value)} ${unitOf({ kind })}`
}

export function unitOf({ kind }: Pick<SeriesChange, 'kind'>): 'ns' | 'bytes' {
  return valueFields(kind).value === 'value_ns' ? 'ns' : 'bytes'
}

export function ratioText(ratio: number | undefined): string {
  if (ratio === undefined) return '–'
  return ratio >= 1e6 || ratio < 0.001 ? ratio.toExponential(2) : ratio.toFixed(ratio < 0.1 ? 4 : 3)
}

/** The q value of the test, such as `q 0.0120`, or the reason why the series was not tested. */
export function evidence({ test, reason, base, head }: SeriesChange): string {
  if (test !== undefined) return `q ${test.q < 0.0001 ? '< 0.0001' : test.q.toFixed(4)}`
  if (reason === 'few_runtimes') return `${base.runtimes?.length ?? 0} and ${head.runtimes?.length ?? 0} runs`
  return reason === 'no_ratio' ? 'no ratio' : 'no runs'
}

/** Whether a series is listed by default: it changed, or it was not judged and its ratio is unknown or reaches the threshold. */
export function isNotable({ verdict, ratio }: SeriesChange, threshold: number): boolean {
  if (verdict !== 'unjudged') return verdict !== 'unchanged'
  return ratio === undefined || ratio >= threshold || ratio <= 1 / threshold
}

/** Notes that explain the verdicts and their limits. */
export function notes({ changes, threshold, onlyBase, onlyHead, access, remarks }: CompareResult): readonly string[] {
  const [few, none] = (['few_runtimes', 'no_ratio'] as const).map(reason => number(changes, c => c.reason === reason))
  const unproven = number(changes, ({ verdict }) => verdict === 'unproven')
  const sizes = number(changes, ({ kind }) => !valueFields(kind).timed)
  const moved = number(changes, ({ base, head }) => base.platform !== head.platform)
  const resized = number(changes, hasOtherData)
  return [
    ...remarks,
    `slower and faster: q < ${MOST_CHANCE} (Mann-Whitney, Benjamini-Hochberg) and a ratio of ${threshold} or more, or 1/${threshold} or less`,
    ...(unproven ? [`${unproven} unproven: the ratio is beyond that, but q is not: it may be chance`] : []),
    ...(sizes ? [`${sizes} by size have no runs to test: larger and smaller go by the ratio alone`] : []),
    ...(few ? [`${few} cannot be judged: a side has fewer than ${FEWEST_RUNTIMES} runs`] : []),
    ...(none ? [`${none} cannot be judged: a value that is not above zero has no ratio`] : []),
    ...powerNote(changes),
    ...(resized ? [`${resized} compressed different data at HEAD and BASE (uncompressed_bytes differs)`] : []),
    ...(moved ? [`${moved} ran on another platform (env_triple) at HEAD than at BASE`] : []),
    ...(onlyBase.length > 0 ? [`${plural(onlyBase.length, 'series', 'series')} only in BASE`] : []),
    ...(onlyHead.length > 0 ? [`${plural(onlyHead.length, 'series', 'series')} only in HEAD`] : []),
    ...access.flatMap(scanNote),
  ]
}

/** Whether the commits compressed different data. A larger size is then not necessarily a regression. */
function hasOtherData({ base, head }: SeriesChange): boolean {
  return base.uncompressed !== undefined && head.uncompressed !== undefined && base.uncompressed !== head.uncompressed
}

function number(changes: readonly SeriesChange[], is: (change: SeriesChange) => boolean): string {
  const found = changes.filter(is).length
  return found === 0 ? '' : plural(found, 'series', 'series')
}

/** Warns when there were too few runs for the test to find a change, so that "no change" is not read as proven. */
function powerNote(changes: readonly SeriesChange[]): readonly string[] {
  const tested = changes.filter(({ test }) => test !== undefined).length
  const fewest = fewestToBeReal(changes)
  if (tested === 0 || fewest === 1) return []
  const runs = 'with so few runs among so many series'
  return [
    fewest === Infinity
      ? `${runs} no change could be told from chance: more runs are needed`
      : `${runs} a change is told from chance only if ${count(fewest)} or more series change together`,
  ]
}

const LARGE_BYTES = 256 * 1024 * 1024

function scanNote({ kind: { table }, by, tableBytes }: Access): readonly string[] {
  if (by !== 'scan' || tableBytes < LARGE_BYTES) return []
  const size = `${(tableBytes / 2 ** 30).toFixed(1)} GiB`
  return [
    `all ${size} of ${table} were read, for want of an index: CREATE INDEX CONCURRENTLY ON ${table} (commit_sha) spares that`,
  ]
}
