/** Shape of the report of `compare`. */

import { ExitCode, Shape, TIME, type ValueOf } from './shape.js'

const { constant, count, digits, flag, list, map, number, object, orNull, pair, text, textOrInteger, words } = Shape

const CommitShape = object({ sha: text(), timestamp: text(TIME), subject: text() })

const VERDICTS = ['slower', 'larger', 'faster', 'smaller', 'unproven', 'unjudged', 'unchanged'] as const

const SeriesIdentity = {
  kind: text(),
  dimensions: map(orNull(textOrInteger()), 'Every dimension except the commit'),
}

const EXACT_VALUE = 'Every digit, which a JSON number does not always keep'

export const CompareReportShape = object({
  command: constant('compare'),
  exit_code: ExitCode,
  target: text(),
  base: CommitShape,
  head: CommitShape,
  thresholds: object({ q: number(), ratio: number(), runtimes: count() }),
  summary: object({
    series: count(),
    slower: count(),
    larger: count(),
    faster: count(),
    smaller: count(),
    unproven: count(),
    unjudged: count(),
    unchanged: count(),
    regressions: count(),
    only_base: count(),
    only_head: count(),
  }),
  datasets: list(object({ kind: text(), dataset: text(), series: count(), ratio: number('Geometric mean') })),
  series: list(
    object({
      ...SeriesIdentity,
      base: digits(EXACT_VALUE),
      head: digits(EXACT_VALUE),
      unit: words(['ns', 'bytes']),
      ratio: orNull(number(), 'HEAD divided by BASE; null if there is no ratio'),
      runtimes: orNull(pair(count()), 'Number of runs of BASE and HEAD; null for values that are not times'),
      test: orNull(
        object({ p: number(), q: number(), method: words(['exact', 'normal']), direction: words([-1, 0, 1]) }),
        'Two-sided Mann-Whitney test; q is adjusted over all tested series (Benjamini-Hochberg)',
      ),
      verdict: words(VERDICTS),
      reason: words(['few_runtimes', 'no_ratio', null], 'The reason if the verdict is unjudged'),
      regression: flag('The verdict is slower or larger'),
      platforms: pair(orNull(text()), 'env_triple of BASE and HEAD'),
      uncompressed_bytes: orNull(
        pair(orNull(text())),
        'For sizes: the bytes before compression at BASE and HEAD, null if unknown. Null for other kinds',
      ),
    }),
    'The largest significant changes come first',
  ),
  only_base: list(object(SeriesIdentity)),
  only_head: list(object(SeriesIdentity)),
  read: list(object({ table: text(), by: words(['commit', 'series', 'scan']), table_bytes: count() })),
  notes: list(text()),
})
export type CompareReport = ValueOf<typeof CompareReportShape>
