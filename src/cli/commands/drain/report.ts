/** The JSON report of `drain` and `recover` (schemas/v1/drain-report.json). */

import type { DrainResult } from '../../../delivery/drain.js'
import { explainReport, targetReport } from '../push/report.js'

export function drainReport(command: string, result: DrainResult): object {
  const { exitCode, targets, left, discarded, swept, explained, durationMs } = result
  return {
    command,
    exit_code: exitCode,
    targets: targets.map(targetReport),
    left: left.map(({ id, target, partition, since, until }) => ({ id, target, partition, since, until })),
    discarded,
    swept,
    ...(explained !== undefined && { explain: explainReport(explained) }),
    duration_ms: Math.round(durationMs),
  }
}
