/** Writes the failures and successes of a command's targets to the journal and the health records. */

import { IngestError, messageOf, type ErrorCode } from '../../errors.js'
import { redact } from '../../redact.js'
import { noteSuccess } from '../../state/health.js'
import { Journal } from '../../state/journal.js'
import type { State } from '../../state/state.js'
import type { DeliveryEvent, Emit } from '../events.js'
import type { Target } from '../target.js'

export function openJournal(state: State, run: string): Journal {
  return new Journal(state, { run, redact })
}

type Noted = {
  readonly target: Target
  readonly retries: number
  readonly hasDelivered: boolean
  readonly failure: { readonly error: unknown } | undefined
}

/** Collects the events of a command and writes them when it ends. */
export class DeliveryJournal {
  readonly #journal: Journal
  readonly #targets = new Map<string, Noted>()

  /** @param run benchmark id of the run, or the name of the command */
  constructor(
    private readonly state: State,
    run: string,
  ) {
    this.#journal = openJournal(state, run)
  }

  note(event: DeliveryEvent): void {
    if (event.type === 'began' || event.type === 'removed') this.#note(event.target, { failure: undefined })
    if (event.type === 'applied') this.#note(event.target, { hasDelivered: true })
    if (event.type === 'failed') this.#note(event.target, { failure: { error: event.error } })
    if (event.type !== 'retried') return
    const { retries } = this.#note(event.target, {})
    this.#note(event.target, { retries: retries + 1 })
    this.#record(event.target, { error: event.error, attempt: retries + 1, at: event.at })
  }

  /** Stores everything. A journal that cannot be written must not fail a delivery, so an error becomes a warning. */
  async close(emit: Emit): Promise<void> {
    const all = [...this.#targets.values()]
    for (const { target, failure, retries } of all) {
      const error = failure === undefined ? undefined : errorOfTarget(failure.error, target)
      if (error !== undefined) this.#record(target, { error, attempt: retries + 1 })
    }
    const delivered = all.filter(({ hasDelivered, failure }) => hasDelivered && failure === undefined)
    try {
      await Promise.all(delivered.map(({ target }) => noteDelivered(this.state, target)))
      await this.#journal.flush()
    } catch (error) {
      emit({ type: 'warned', message: `the journal could not be written: ${redact(messageOf(error))}` })
    }
  }

  #note(target: Target, change: Partial<Noted>): Noted {
    const { id } = target.opener
    const before = this.#targets.get(id) ?? { retries: 0, hasDelivered: false, failure: undefined }
    const noted = { ...before, ...change, target }
    this.#targets.set(id, noted)
    return noted
  }

  #record({ name, registered }: Target, failed: { error: unknown; attempt: number; at?: number }): void {
    const bucket = registered?.bucket
    this.#journal.record({ subject: 'target', name, operation: 'deliver', ...failed })
    const error = storageErrorIn(failed.error)
    if (bucket !== undefined && error !== undefined)
      this.#journal.record({ subject: 'bucket', name: bucket, operation: 'put', ...failed, error })
  }
}

/** Records a success for the target and, if the target is an archive, for its bucket too. */
async function noteDelivered(state: State, { name, registered }: Target): Promise<void> {
  await noteSuccess(state, 'target', name)
  if (registered?.bucket !== undefined) await noteSuccess(state, 'bucket', registered.bucket)
}

/**
 * Codes of errors that are not failures of the target: the command was stopped, the input failed, or the target was not
 * asked.
 */
const OWN: readonly ErrorCode[] = ['queued', 'interrupted', 'terminated', 'input_changed', 'input_unreadable']

/**
 * The failure to record against the target; undefined when it is not the target's. For queued records that is the error
 * because of which they remained queued.
 */
function errorOfTarget(error: unknown, { kind }: Target): unknown {
  if (!(error instanceof IngestError)) return error
  if (error.code === 'queued' && error.cause instanceof IngestError) return error.cause
  // A storage error is the target's own only if the target is an archive. Otherwise it is a failure of the state.
  const isState = error.code.startsWith('state_') || (storageErrorIn(error) === error && kind !== 'archive')
  return OWN.includes(error.code) || isState ? undefined : error
}

/** The error of a bucket: the error itself, or the one that an archive target reports as its own. */
function storageErrorIn(error: unknown): IngestError | undefined {
  if (!(error instanceof IngestError)) return undefined
  return error.code.startsWith('storage_') ? error : storageErrorIn(error.cause)
}
