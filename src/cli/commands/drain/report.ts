/** The JSON report of `drain` and `recover` (schemas/v1/drain-report.json). */

import type { Drained } from '../../../delivery/durable/drain.js'
import { explainReport, type Explained } from '../push/explain-report.js'
import { targetReport } from '../push/report.js'
import type { Verdict } from '../push/verdict.js'
import type { DrainReport } from '../../../reports/delivery.js'

export type DrainOutcome = {
  readonly command: DrainReport['command']
  readonly drained: Drained
  readonly verdict: Verdict
  /** Undefined without `--explain`. */
  readonly explained: readonly Explained[] | undefined
  readonly durationMs: number
}

export function drainReport({ command, drained, verdict, explained, durationMs }: DrainOutcome): DrainReport {
  return {
    command,
    exit_code: verdict.exitCode,
    targets: drained.outcomes.map(outcome => targetReport(outcome, verdict)),
    left: drained.left.map(({ id, target, partition, since, until }) => ({ id, target, partition, since, until })),
    discarded: drained.discarded,
    swept: drained.swept,
    ...(explained !== undefined && { explain: explainReport(explained) }),
    duration_ms: Math.round(durationMs),
  }
}
