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
  verdict: words(['changed', 'no change', 'inconclusive'], 'inconclusive: most series could not be judged'),
  thresholds: object({
    q: number(),
    ratio: number('The smallest ratio that counts as a change'),
    judged: number('A series is judged when a change of this ratio would be found'),
    runtimes: count('Fewest runs of a series without a history'),
  }),
  noise: object({
    commits: count('Number of commits before BASE that showed the noise'),
    controls: list(text()),
    jobs: list(
      object({
        platform: orNull(text(), 'env_triple of HEAD'),
        series: count(),
        controls: count(),
        shift: number('Common change of all series or of the controls, as a ratio'),
        removed: flag('The common change was taken for noise between jobs and removed'),
      }),
    ),
  }),
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
        object({
          ratio: number('HEAD divided by the level before it, without the common change of the job'),
          p: number(),
          q: number(),
          detectable: number('The smallest ratio that would be found'),
        }),
        'Two-sided test against noise; q is adjusted over all tested series (Benjamini-Hochberg)',
      ),
      verdict: words(VERDICTS),
      reason: words(
        ['few_runtimes', 'no_ratio', 'no_history', 'noise', 'other_machine', null],
        'The reason if the verdict is unjudged or unproven',
      ),
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
