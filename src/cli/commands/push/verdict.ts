/** Decides which targets' failures fail the push, and its exit code. */

import { EXIT, IngestError } from '../../../errors.js'
import type { Requirement } from '../../options/choose-targets.js'
import type { TargetOutcome } from '../../../delivery/deliver.js'
import type { Pushed } from '../../../delivery/push.js'
import { exitCodeOf } from '../../output/error-report.js'

export type Verdict = {
  readonly exitCode: number
  /** Targets whose failure fails the push. */
  readonly required: ReadonlySet<TargetOutcome>
  /** A required target was down and `--allow-failure` turned the exit code into 0. */
  readonly forgiven: boolean
}

export type VerdictOptions = {
  readonly require: Requirement | undefined
  readonly allowFailure: boolean
  readonly rejected: boolean
}

/** Exit codes of a target that was down: without a state, and with a state in which its records remain queued. */
const PASSING: readonly number[] = [EXIT.unavailable, EXIT.kept]

/** Computes the exit code. Promise 7: a push that lost data never exits 0. */
export function verdictOf(
  { outcomes }: Pick<Pushed, 'outcomes'>,
  { require, allowFailure, rejected }: VerdictOptions,
): Verdict {
  const required = new Set(requiredOf(outcomes, require))
  if (rejected) return { exitCode: EXIT.badData, required, forgiven: false }
  const codes = [...badInput(outcomes), ...failuresThatCount(outcomes, required, require)].map(exitCodeOf)
  // A failure that persists until somebody acts takes precedence over a target that is down.
  const exitCode = codes.find(code => !PASSING.includes(code)) ?? codes[0] ?? EXIT.done
  const forgiven = allowFailure && PASSING.includes(exitCode)
  return { exitCode: forgiven ? EXIT.done : exitCode, required, forgiven }
}

/**
 * The required targets. Without `--require`, registrations decide, otherwise the first target is required: path A if both
 * paths are used, and an archive only if it is the only target.
 * @see contract section 4
 */
function requiredOf(outcomes: readonly TargetOutcome[], require: Requirement | undefined): readonly TargetOutcome[] {
  if (require === undefined && outcomes.some(({ registered }) => registered !== undefined))
    return outcomes.filter(({ registered }) => registered?.isRequired === true)
  if (require === 'all' || require === 'any') return outcomes
  return require === undefined ? outcomes.slice(0, 1) : outcomes.filter(({ kind }) => kind === require)
}

function failuresThatCount(
  outcomes: readonly TargetOutcome[],
  required: ReadonlySet<TargetOutcome>,
  require: Requirement | undefined,
): readonly unknown[] {
  // A removed target has no failure, but it does not hold the records either.
  if (require === 'any' && outcomes.some(({ failure, outbox }) => failure === undefined && outbox?.isRemoved !== true))
    return []
  return [...required].flatMap(({ failure }) => (failure === undefined ? [] : [failure.error]))
}

/** Errors that fail the push for any target, required or not: bad data, missing input and interruption. */
function badInput(outcomes: readonly TargetOutcome[]): readonly unknown[] {
  const red: readonly number[] = [EXIT.badData, EXIT.noInput, EXIT.interrupted, EXIT.terminated]
  return outcomes.flatMap(({ failure }) =>
    failure?.error instanceof IngestError && red.includes(failure.error.exitCode) ? [failure.error] : [],
  )
}
