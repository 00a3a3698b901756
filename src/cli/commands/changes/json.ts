/** Change points and accepted changes as JSON (schemas/v1/changes-report.json). */

import { toAcceptedDocument } from '../../../analysis/accepted-change.js'
import { MAX_FALSE } from '../../../analysis/history-changes.js'
import type { ChangesResult } from '../../../delivery/changes.js'
import { isNewRegression, type FoundChange } from '../../../delivery/found-changes.js'
import type { ChangesReport } from '../../../reports/changes.js'
import { seriesFields } from '../compare/json.js'
import { unitOf } from '../compare/words.js'
import { changesNotes } from './words.js'

export function changesReport(result: ChangesResult, exitCode: number): ChangesReport {
  const { commits, history, since, group, series, threshold, target } = result
  const all = commits.flatMap(({ changes }) => changes)
  const numberOf = (is: (change: FoundChange) => boolean): number => all.filter(is).length
  const { head, source, isComplete, measured } = history
  return {
    ...{ command: 'changes', exit_code: exitCode, target },
    history: { head, source, is_complete: isComplete, commits: history.commits, measured },
    ...{ since: since ?? null, group: group ?? null, thresholds: { q: MAX_FALSE, ratio: threshold } },
    summary: {
      ...{ series, commits: commits.length, changes: all.length },
      regressions: numberOf(({ ratio }) => ratio > 1),
      new_regressions: numberOf(isNewRegression),
      accepted: numberOf(({ accepted }) => accepted !== undefined),
    },
    commits: commits.map(({ commit, changes, isShared }) => ({
      ...{ commit, shared: isShared, changes: changes.map(changeFields) },
    })),
    notes: changesNotes(result),
  }
}

type ChangeFields = ChangesReport['commits'][number]['changes'][number]

function changeFields({ kind, dimensions, accepted, unmeasured, ...change }: FoundChange): ChangeFields {
  return {
    ...{ ...seriesFields({ kind, dimensions }), ...change, unit: unitOf({ kind }) },
    ...{ confidence: 1 - change.q, regression: change.ratio > 1, unmeasured },
    accepted: accepted === undefined ? null : toAcceptedDocument(accepted),
  }
}
