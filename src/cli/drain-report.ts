/** What `drain` and `recover` say as JSON (schemas/v1/drain-report.json). */

import type { Drained } from '../delivery/durable/drain.js'
import { targetReport } from './push-report.js'
import type { Verdict } from './push-verdict.js'

export type DrainOutcome = {
  readonly command: string
  readonly drained: Drained
  readonly verdict: Verdict
  readonly durationMs: number
}

export function drainReport({ command, drained, verdict, durationMs }: DrainOutcome): object {
  return {
    command,
    exit_code: verdict.exitCode,
    targets: drained.outcomes.map(outcome => targetReport(outcome, verdict)),
    left: drained.left.map(({ id, target, partition, since, until }) => ({ id, target, partition, since, until })),
    discarded: drained.discarded,
    swept: drained.swept,
    duration_ms: Math.round(durationMs),
  }
}
