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
    await Promise.all(outcomes.filter(hasDelivered).map(outcome => noteDelivered(state, outcome)))
    await journal.flush()
    return []
  } catch (error) {
    return [`the journal could not be written: ${redact(messageOf(error))}`]
  }
}

/** Of an archive its bucket has done what it was asked, too. */
async function noteDelivered(state: State, outcome: TargetOutcome): Promise<void> {
  const bucket = outcome.registered?.bucket
  await noteSuccess(state, 'target', nameOf(outcome))
  if (bucket !== undefined) await noteSuccess(state, 'bucket', bucket)
}

export function openJournal(state: State, run: string): Journal {
  return new Journal(state, { run, redact })
}

function recordFailures(journal: Journal, outcome: TargetOutcome): void {
  const { retries, failure } = outcome
  const record = (error: unknown, attempt: number, at?: number): void => {
    journal.record({ sort: 'target', name: nameOf(outcome), operation: 'deliver', error, attempt, at })
    const bucket = outcome.registered?.bucket
    if (bucket !== undefined && isOfStorage(error))
      journal.record({ sort: 'bucket', name: bucket, operation: 'put', error, attempt, at })
  }
  for (const [index, { error, at }] of retries.entries()) record(error, index + 1, at)
  const error = failure === undefined ? undefined : causeOf(failure.error, outcome)
  if (error !== undefined) record(error, retries.length + 1)
}

/** What stopped the command, or kept it from asking the target, is none of the target's failures. */
const OWN: readonly ErrorCode[] = ['kept', 'interrupted', 'terminated', 'input_changed', 'input_unreadable']

/** Of records that were kept, why. */
function causeOf(error: unknown, { name }: TargetOutcome): unknown {
  if (!(error instanceof IngestError)) return error
  if (error.code === 'kept' && error.cause instanceof IngestError) return error.cause
  // An archive is storage itself; of any other target that is the state's failure.
  const isState = error.code.startsWith('state_') || (isOfStorage(error) && name !== 'archive')
  return OWN.includes(error.code) || isState ? undefined : error
}

function isOfStorage(error: unknown): boolean {
  return error instanceof IngestError && error.code.startsWith('storage_')
}

function hasDelivered({ failure, receipts }: TargetOutcome): boolean {
  return failure === undefined && receipts.length > 0
}
