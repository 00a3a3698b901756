/** Wording of a comparison, shared by the formats for people. */

import { isRegression, type SeriesChange, type SeriesVerdict } from '../../../analysis/judge.js'
import { OPEN_MODES, seriesDimensions, seriesName, valueFields, type SeriesIdentity } from '../../../analysis/series.js'
import type { Access } from '../../../database/queries/commit-access.js'
import type { CompareResult } from '../../../delivery/compare.js'
import type { CommitSummary } from '../../../database/queries/commits.js'
import { oneLine } from '../../../visible-text.js'
import { count, plural } from '../../output/report.js'
import { noiseNotes } from './noise-notes.js'

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

/** The first line of a comparison: the verdict, then the number of series per verdict. */
export function headline({ changes, base, head, target, verdict }: CompareResult): Headline {
  const against = `${short(head)} against ${short(base)} in ${target}`
  const good = verdict !== 'inconclusive' && !changes.some(isRegression)
  const word = `${verdict}:`
  if (changes.length === 0) return { good, word, rest: `no series is in both, ${against}` }
  const counts = tally(changes)
  const said = VERDICTS.filter(name => counts[name] > 0).map(name => `${count(counts[name])} ${name}`)
  return { good, word, rest: `${said.join(', ')} of ${plural(changes.length, 'series', 'series')}; ${against}` }
}

function short({ sha }: CommitSummary): string {
  return sha.slice(0, 7)
}

export type SeriesNamer = (series: SeriesIdentity) => string

/**
 * Names series: `query_measurement tpch 10 q7 nvme datafusion vortex`. The name of a random access series ends with `(hot)` or
 * `(cold)`, unless all of them are hot.
 * @param all the series that are shown together
 */
export function seriesNamer(all: readonly SeriesIdentity[]): SeriesNamer {
  const words = all.some(isCold) ? OPEN_MODES : { cached: '' }
  return series => oneLine(seriesName(series, words))
}

function isCold({ kind, dimensions }: SeriesIdentity): boolean {
  return seriesDimensions(kind).some(({ name }, index) => name === 'open_mode' && dimensions[index] === 'reopen')
}

export function comparedNamer({ changes, onlyBase, onlyHead }: CompareResult): SeriesNamer {
  return seriesNamer([...changes.map(seriesOf), ...onlyBase, ...onlyHead])
}

export function seriesOf({ kind, head }: SeriesChange): SeriesIdentity {
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

/** The result of the test, such as `1.052 adjusted, q 0.0120`, or the reason why the series was not tested. */
export function evidence({ ratio, test, reason, base, head }: SeriesChange): string {
  if (test !== undefined) {
    const adjusted = ratioText(test.ratio) === ratioText(ratio) ? '' : `${ratioText(test.ratio)} adjusted, `
    return `${adjusted}q ${test.q < 0.0001 ? '< 0.0001' : test.q.toFixed(4)}`
  }
  if (reason === 'few_runtimes') return `${base.runtimes?.length ?? 0} and ${head.runtimes?.length ?? 0} runs`
  if (reason === 'other_machine') return 'other machine'
  return reason === 'no_ratio' ? 'no ratio' : 'exact'
}

/** Whether a series is listed by default: it changed or may have, or it was not tested and its ratio is unknown or reaches the threshold. */
export function isNotable({ verdict, ratio, test }: SeriesChange, threshold: number): boolean {
  if (verdict !== 'unjudged') return verdict !== 'unchanged'
  return test === undefined && (ratio === undefined || ratio >= threshold || ratio <= 1 / threshold)
}

/** Notes that explain the verdicts and their limits. */
export function notes(compared: CompareResult): readonly string[] {
  const { changes, threshold, onlyBase, onlyHead, access, remarks } = compared
  const sizes = number(changes, ({ kind }) => !valueFields(kind).timed)
  const none = number(changes, ({ reason }) => reason === 'no_ratio')
  const moved = number(changes, ({ base, head }) => base.platform !== head.platform)
  const resized = number(changes, hasOtherData)
  return [
    ...remarks,
    ...noiseNotes(compared),
    ...(sizes
      ? [
          `${sizes} by size: sizes are exact, so larger and smaller mean a ratio of ${threshold} or more, or 1/${threshold} or less`,
        ]
      : []),
    ...(none ? [`${none} cannot be judged: a value that is not above zero has no ratio`] : []),
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

const LARGE_BYTES = 256 * 1024 * 1024

function scanNote({ kind: { table }, by, tableBytes }: Access): readonly string[] {
  if (by !== 'scan' || tableBytes < LARGE_BYTES) return []
  const size = `${(tableBytes / 2 ** 30).toFixed(1)} GiB`
  return [
    `all ${size} of ${table} were read, because it has no index by commit: CREATE INDEX CONCURRENTLY ON ${table} (commit_sha)`,
  ]
}
