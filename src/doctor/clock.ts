/** How far this machine's clock is from another's. */

import { ok, warn, type Finding } from './finding.js'

/** RDS tokens carry the time and bear a few minutes; commits and runs are shown in order of theirs. */
const MUCH_MS = 30_000

/** A moment there, and when it was asked for and answered here: all in milliseconds since 1970. */
export type ClockReading = { readonly there: number; readonly asked: number; readonly answered: number }

/** @param stepMs how finely the other clock is told */
export function clockFinding({ there, asked, answered }: ClockReading, stepMs: number): Finding {
  // It was read somewhere in between, and within its step.
  const aheadMs = Math.max(0, there - answered)
  const behindMs = Math.max(0, asked - there - stepMs)
  const skewMs = aheadMs > 0 ? aheadMs : behindMs
  if (skewMs < 1000) return ok('this clock and the one there agree to the second')
  const fact = `this clock is ${Math.round(skewMs / 1000)} s ${aheadMs > 0 ? 'behind' : 'ahead of'} the one there`
  return skewMs < MUCH_MS
    ? ok(fact)
    : warn(fact, 'let one of them be set by NTP: tokens and certificates carry the time')
}
