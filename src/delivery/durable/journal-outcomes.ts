/** What became of targets in one command, for the journal and for their health. */

import { IngestError, messageOf, type ErrorCode } from '../../errors.js'
import { redact } from '../../sink/redact.js'
import { noteSuccess } from '../../state/health.js'
import { Journal } from '../../state/journal.js'
import type { State } from '../../state/state.js'
import type { TargetOutcome } from '../deliver.js'
import { nameOf } from '../opening.js'

/** Never fails a delivery. @returns what went wrong with it, for people */
export async function journalOutcomes(
  journal: Journal,
  state: State,
  outcomes: readonly TargetOutcome[],
): Promise<readonly string[]> {
  for (const outcome of outcomes) recordFailures(journal, outcome)
  try {
    await Promise.all(outcomes.filter(hasDelivered).map(outcome => noteSuccess(state, 'target', nameOf(outcome))))
    await journal.flush()
    return []
  } catch (error) {
    return [`the journal could not be written: ${redact(messageOf(error))}`]
  }
}

export function openJournal(state: State, run: string): Journal {
  return new Journal(state, { run, redact })
}

function recordFailures(journal: Journal, outcome: TargetOutcome): void {
  const { retries, failure } = outcome
  const subject = { sort: 'target' as const, name: nameOf(outcome), operation: 'deliver' }
  for (const [index, { error }] of retries.entries()) journal.record({ ...subject, error, attempt: index + 1 })
  const error = failure === undefined ? undefined : causeOf(failure.error)
  if (error !== undefined) journal.record({ ...subject, error, attempt: retries.length + 1 })
}

/** What stopped the command, or kept it from asking the target, is none of the target's failures. */
const OWN: readonly ErrorCode[] = ['kept', 'interrupted', 'terminated', 'input_changed', 'input_unreadable']

/** Of records that were kept, why. */
function causeOf(error: unknown): unknown {
  if (!(error instanceof IngestError)) return error
  if (error.code === 'kept' && error.cause instanceof IngestError) return error.cause
  const isOwn = OWN.includes(error.code) || error.code.startsWith('state_') || error.code.startsWith('storage_')
  return isOwn ? undefined : error
}

function hasDelivered({ failure, receipts }: TargetOutcome): boolean {
  return failure === undefined && receipts.length > 0
}
