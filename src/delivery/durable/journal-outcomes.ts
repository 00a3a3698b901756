/** Writes the successes and failures of a command's targets to the journal and the health records. */

import { IngestError, messageOf, type ErrorCode } from '../../errors.js'
import { redact } from '../../redact.js'
import { noteSuccess } from '../../state/health.js'
import { Journal } from '../../state/journal.js'
import type { State } from '../../state/state.js'
import type { TargetOutcome } from '../deliver.js'

/**
 * Records the outcomes of all targets. Does not throw, because a journal that cannot be written must not fail a
 * delivery.
 * @returns warnings for the user, empty when everything was written
 */
export async function journalOutcomes(
  journal: Journal,
  state: State,
  outcomes: readonly TargetOutcome[],
): Promise<readonly string[]> {
  for (const outcome of outcomes) recordFailures(journal, outcome)
  try {
    await Promise.all(outcomes.filter(hasDelivered).map(outcome => noteDelivered(state, outcome)))
    await journal.flush()
    return []
  } catch (error) {
    return [`the journal could not be written: ${redact(messageOf(error))}`]
  }
}

/** Records a success for the target and, if the target is an archive, for its bucket too. */
async function noteDelivered(state: State, outcome: TargetOutcome): Promise<void> {
  const bucket = outcome.registered?.bucket
  await noteSuccess(state, 'target', outcome.name)
  if (bucket !== undefined) await noteSuccess(state, 'bucket', bucket)
}

export function openJournal(state: State, run: string): Journal {
  return new Journal(state, { run, redact })
}

function recordFailures(journal: Journal, outcome: TargetOutcome): void {
  const { retries, failure } = outcome
  const record = (error: unknown, attempt: number, at?: number): void => {
    journal.record({ subject: 'target', name: outcome.name, operation: 'deliver', error, attempt, at })
    const bucket = outcome.registered?.bucket
    if (bucket !== undefined && isOfStorage(error))
      journal.record({ subject: 'bucket', name: bucket, operation: 'put', error, attempt, at })
  }
  for (const [index, { error, at }] of retries.entries()) record(error, index + 1, at)
  const error = failure === undefined ? undefined : causeOf(failure.error, outcome)
  if (error !== undefined) record(error, retries.length + 1)
}

/**
 * Codes of errors that are not failures of the target: the command was stopped, the input failed, or the target was not
 * asked.
 */
const OWN: readonly ErrorCode[] = ['kept', 'interrupted', 'terminated', 'input_changed', 'input_unreadable']

/**
 * The failure to record against the target; undefined when it is not the target's. For queued records that is the error
 * because of
 * which they remained queued.
 */
function causeOf(error: unknown, { kind }: TargetOutcome): unknown {
  if (!(error instanceof IngestError)) return error
  if (error.code === 'kept' && error.cause instanceof IngestError) return error.cause
  // A storage error is the target's own only if the target is an archive. Otherwise it is a failure of the state.
  const isState = error.code.startsWith('state_') || (isOfStorage(error) && kind !== 'archive')
  return OWN.includes(error.code) || isState ? undefined : error
}

function isOfStorage(error: unknown): boolean {
  return error instanceof IngestError && error.code.startsWith('storage_')
}

function hasDelivered({ failure, receipts }: TargetOutcome): boolean {
  return failure === undefined && receipts.length > 0
}
