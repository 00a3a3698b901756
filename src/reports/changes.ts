/** Shapes of the reports of `changes` and its subcommands. */

import { ExitCode, Shape, SuccessCode, TIME, WITHOUT_SECRETS, type ValueOf } from './shape.js'

const { constant, count, flag, list, map, number, object, orNull, text, textOrInteger, words } = Shape

const StoredCommitShape = object({ sha: text(), timestamp: text(TIME), subject: text(), author: text() })

const AcceptedChangeShape = object({
  id: text(),
  commit: text(),
  series: list(text(), 'Patterns of the series that it applies to; empty for all series'),
  note: text(),
  by: text(),
  at: text(TIME),
  withdrawn: orNull(object({ by: text(), at: text(TIME) })),
})

export const ChangesReportShape = object({
  command: constant('changes'),
  exit_code: ExitCode,
  target: text(WITHOUT_SECRETS),
  history: object({
    head: StoredCommitShape,
    source: words(['git', 'hosting', 'database', 'time'], 'Where the order of the commits is from'),
    is_complete: flag('False if commits before the oldest one are unknown'),
    commits: count('Commits from the oldest stored one to the head'),
    measured: count('Those of them that are stored'),
  }),
  since: orNull(StoredCommitShape),
  group: orNull(text()),
  thresholds: object({ q: number(), ratio: number() }),
  summary: object({
    series: count('Series that were analysed'),
    commits: count('Commits with changes'),
    changes: count(),
    regressions: count('Changes with the verdict slower or larger'),
    new_regressions: count('Regressions that nobody has accepted'),
    accepted: count(),
  }),
  commits: list(
    object({
      commit: StoredCommitShape,
      shared: flag('Nearly all series of a machine changed in the same direction, so the machine may be the cause'),
      changes: list(
        object({
          kind: text(),
          dimensions: map(orNull(textOrInteger()), 'Every dimension except the commit'),
          verdict: words(['slower', 'larger', 'faster', 'smaller']),
          ratio: number('The level after the change divided by the level before it'),
          before: number('Mean of the values before the change'),
          after: number('Mean of the values since the change'),
          unit: words(['ns', 'bytes']),
          p: number('Corrected for the number of commits'),
          q: number('Corrected for the number of series too (Benjamini-Hochberg)'),
          confidence: number('1 - q'),
          regression: flag('The verdict is slower or larger'),
          earliest: text('The first commit that may have made the change, as far as noise shows'),
          latest: text('The last such commit'),
          unmeasured: list(
            text(),
            'Commits before this one that were not measured; any of them may have made the change',
          ),
          accepted: orNull(AcceptedChangeShape),
        }),
        'New regressions come first, then improvements, then accepted changes; the largest of each first',
      ),
    }),
    'The worst come first',
  ),
  notes: list(text()),
})
export type ChangesReport = ValueOf<typeof ChangesReportShape>

const storeAndCode = { exit_code: SuccessCode, store: text(WITHOUT_SECRETS) }

export const ChangesAcceptReportShape = object({
  command: constant('changes accept'),
  ...storeAndCode,
  accepted: AcceptedChangeShape,
})
export type ChangesAcceptReport = ValueOf<typeof ChangesAcceptReportShape>

export const ChangesAcceptedReportShape = object({
  command: constant('changes accepted'),
  ...storeAndCode,
  accepted: list(AcceptedChangeShape, 'Newest first'),
})
export type ChangesAcceptedReport = ValueOf<typeof ChangesAcceptedReportShape>

export const ChangesWithdrawReportShape = object({
  command: constant('changes withdraw'),
  ...storeAndCode,
  withdrawn: list(AcceptedChangeShape),
})
export type ChangesWithdrawReport = ValueOf<typeof ChangesWithdrawReportShape>

export const NotifyReportShape = object({
  command: constant('notify'),
  exit_code: SuccessCode,
  posted: flag('False if there was nothing new to post'),
  changes: count('New regressions'),
})
export type NotifyReport = ValueOf<typeof NotifyReportShape>
