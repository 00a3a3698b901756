/** Compares the clock of this machine with another machine's. */

import { ok, warn, type Finding } from './finding.js'

/**
 * Differences from here on cause a warning. RDS tokens tolerate a few minutes, and commits and runs are ordered by
 * time.
 */
const MUCH_MS = 30_000

/** The other clock's time, and this clock's time before and after reading it. All in milliseconds since 1970. */
export type ClockReading = { readonly there: number; readonly asked: number; readonly answered: number }

/**
 * Reports the difference between the clocks.
 * @param stepMs resolution of the other clock in milliseconds
 */
export function clockFinding({ there, asked, answered }: ClockReading, stepMs: number): Finding {
  // The other clock was read between `asked` and `answered`, and its time is rounded down to its resolution.
  const aheadMs = Math.max(0, there - answered)
  const behindMs = Math.max(0, asked - there - stepMs)
  const skewMs = aheadMs > 0 ? aheadMs : behindMs
  if (skewMs < 1000) return ok('this clock and the one there agree to the second')
  const fact = `this clock is ${Math.round(skewMs / 1000)} s ${aheadMs > 0 ? 'behind' : 'ahead of'} the one there`
  return skewMs < MUCH_MS
    ? ok(fact)
    : warn(fact, 'let one of them be set by NTP: tokens and certificates carry the time')
}
