/** Decides which targets' failures fail a command, and its exit code. */

import { exitCodeOf, EXIT, IngestError, isStateFailure, TRANSIENT_EXITS } from '../errors.js'
import type { Failure } from './events.js'
import type { Target } from './target.js'

export type Requirements = {
  /**
   * The targets whose failure fails the command: `all`, `any` (at least one must succeed), or those of one kind.
   * Default: those that are registered or given as required, otherwise the first one.
   */
  readonly require?: string | undefined
  /** Turns the exit code of a target that is down into 0, unless the state failed. */
  readonly allowFailure?: boolean | undefined
}

type JudgedTarget = {
  readonly target: Target
  readonly failure: Failure | undefined
  readonly isRemoved: boolean
  /** As registered when the command ended; undefined for a target that is not registered. */
  readonly isRequired: boolean | undefined
}

/** Whether lines were rejected, and whether the others were delivered nevertheless. */
type Rejections = 'none' | 'allowed' | 'fatal'

type Verdict<Judged> = {
  readonly exitCode: number
  readonly isForgiven: boolean
  readonly required: ReadonlySet<Judged>
}

/** Computes the exit code. Promise 7: a push that lost data never exits 0. */
export function decide<Judged extends JudgedTarget>(
  targets: readonly Judged[],
  { require, allowFailure = false, rejections }: Requirements & { readonly rejections: Rejections },
): Verdict<Judged> {
  const required = new Set(requiredTargets(targets, require))
  if (rejections === 'fatal') return { exitCode: EXIT.badData, required, isForgiven: false }
  const errors = [...alwaysFailing(targets), ...failuresThatCount(targets, required, require)]
  // A failure that persists until somebody acts takes precedence over a target that is down.
  const lasting = errors.filter(error => !isTransient(error))
  const [error] = [...lasting, ...errors]
  const isForgiven = allowFailure && error !== undefined && lasting.length === 0
  const done = rejections === 'allowed' ? EXIT.rejections : EXIT.done
  return { exitCode: error === undefined || isForgiven ? done : exitCodeOf(error), required, isForgiven }
}

/**
 * Whether waiting can fix the error, because a target is down. A failed state also exits 69 but does not count: the records may
 * not be queued anywhere.
 */
function isTransient(error: unknown): boolean {
  return TRANSIENT_EXITS.includes(exitCodeOf(error)) && !isStateFailure(error)
}

/**
 * The required targets. Without `require`, registrations and `Target.isRequired` decide, otherwise the first target is
 * required: path A if both paths are used, and an archive only if it is the only target.
 * @see contract section 4
 */
function requiredTargets<Judged extends JudgedTarget>(
  targets: readonly Judged[],
  require: string | undefined,
): readonly Judged[] {
  if (require === 'all' || require === 'any') return targets
  if (require !== undefined) return targets.filter(({ target }) => target.kind === require)
  const isDeclared = targets.some(({ target }) => target.registered !== undefined || target.isRequired !== undefined)
  return isDeclared ? targets.filter(isRequired) : targets.slice(0, 1)
}

function isRequired({ target, isRequired }: JudgedTarget): boolean {
  return isRequired ?? target.registered?.isRequired ?? target.isRequired === true
}

function failuresThatCount(
  targets: readonly JudgedTarget[],
  required: ReadonlySet<JudgedTarget>,
  require: string | undefined,
): readonly unknown[] {
  // A removed target has no failure, but it does not hold the records either.
  if (require === 'any' && targets.some(({ failure, isRemoved }) => failure === undefined && !isRemoved)) return []
  return [...required].flatMap(({ failure }) => (failure === undefined ? [] : [failure.error]))
}

/** Errors that fail the command for any target, required or not: bad data, missing input, interruption, a failing state. */
function alwaysFailing(targets: readonly JudgedTarget[]): readonly unknown[] {
  const red: readonly number[] = [EXIT.badData, EXIT.noInput, EXIT.interrupted, EXIT.terminated]
  return targets.flatMap(({ failure }) =>
    failure?.error instanceof IngestError && (red.includes(failure.error.exitCode) || isStateFailure(failure.error))
      ? [failure.error]
      : [],
  )
}
