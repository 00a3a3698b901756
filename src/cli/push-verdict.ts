/** Whose failure is the push's, and what it ends with. */

import { EXIT, IngestError } from '../errors.js'
import type { Requirement } from '../config/write.js'
import type { TargetOutcome } from '../delivery/deliver.js'
import type { Pushed } from '../delivery/push.js'
import { exitCodeOf } from './error-report.js'

export type Verdict = {
  readonly exitCode: number
  /** Targets whose failure decides. */
  readonly required: ReadonlySet<TargetOutcome>
  /** A required target was down, and that was allowed. */
  readonly forgiven: boolean
}

export type VerdictOptions = {
  readonly require: Requirement | undefined
  readonly allowFailure: boolean
  readonly rejected: boolean
}

/** A target was down; with state its records are kept for it. */
const PASSING: readonly number[] = [EXIT.unavailable, EXIT.kept]

/** Promise 7: nothing is green that lost data. */
export function verdictOf(
  { outcomes }: Pick<Pushed, 'outcomes'>,
  { require, allowFailure, rejected }: VerdictOptions,
): Verdict {
  const required = new Set(requiredOf(outcomes, require))
  if (rejected) return { exitCode: EXIT.badData, required, forgiven: false }
  const codes = [...badInput(outcomes), ...failuresThatCount(outcomes, required, require)].map(exitCodeOf)
  // Of several the one that no waiting heals.
  const exitCode = codes.find(code => !PASSING.includes(code)) ?? codes[0] ?? EXIT.done
  const forgiven = allowFailure && PASSING.includes(exitCode)
  return { exitCode: forgiven ? EXIT.done : exitCode, required, forgiven }
}

/** By default the first: of both paths path A, and an archive only where it is alone. @see contract section 4 */
function requiredOf(outcomes: readonly TargetOutcome[], require: Requirement | undefined): readonly TargetOutcome[] {
  if (require === undefined && outcomes.some(({ registered }) => registered !== undefined))
    return outcomes.filter(({ registered }) => registered?.isRequired === true)
  if (require === 'all' || require === 'any') return outcomes
  return require === undefined ? outcomes.slice(0, 1) : outcomes.filter(({ name }) => name === require)
}

function failuresThatCount(
  outcomes: readonly TargetOutcome[],
  required: ReadonlySet<TargetOutcome>,
  require: Requirement | undefined,
): readonly unknown[] {
  // One that was removed has none, and not the records either.
  if (require === 'any' && outcomes.some(({ failure, outbox }) => failure === undefined && outbox?.isRemoved !== true))
    return []
  return [...required].flatMap(({ failure }) => (failure === undefined ? [] : [failure.error]))
}

/** Bad data is red whichever target notices it, and so is a push that was interrupted. */
function badInput(outcomes: readonly TargetOutcome[]): readonly unknown[] {
  const red: readonly number[] = [EXIT.badData, EXIT.noInput, EXIT.interrupted, EXIT.terminated]
  return outcomes.flatMap(({ failure }) =>
    failure?.error instanceof IngestError && red.includes(failure.error.exitCode) ? [failure.error] : [],
  )
}
