/** Health of targets and buckets: recent failures from the journal and the time of the last success. */

import { failureCause, messageOf, type FailureCause } from '../errors.js'
import { listAll, type Storage } from '../storage/storage.js'
import { BUILT_IN } from './buckets.js'
import { encodeDocument, parseDocument } from './document.js'
import type { Fields } from './fields.js'
import { readJournal } from './journal.js'
import { JOURNAL_SUBJECTS, type JournalEvent, type JournalSubject } from './journal-event.js'
import { HEALTH, healthKey } from './keys.js'
import { readRegistry } from './registry.js'
import { timestamp, type State } from './state.js'

export type Success = { readonly subject: JournalSubject; readonly name: string; readonly at: string }

export type Health = {
  readonly subject: JournalSubject
  readonly name: string
  /** Number of failures in the requested window. */
  readonly errors: number
  /** The latest failure in the journal, also when it is older than the window. */
  readonly lastError: JournalEvent | undefined
  /** RFC 3339; undefined when there was no success. */
  readonly lastSuccess: string | undefined
  /**
   * `failing`: no success since the last error, also when that error is older than the window. `recovered`: a success
   * after an error in the window. `unknown`: neither an error nor a success is recorded.
   */
  readonly state: 'ok' | 'recovered' | 'failing' | 'unknown'
  /** Why it is failing; undefined in every other state. */
  readonly failure: FailureCause | undefined
}

/** Records that an operation on a target or bucket succeeded now. The stored document calls the subject `sort`. */
export async function noteSuccess(state: State, subject: JournalSubject, name: string): Promise<void> {
  await state.storage.put(healthKey(subject, name), encodeDocument({ sort: subject, name, at: timestamp(state) }))
}

/** `minutes` is the length of the window; `onDamage` is called for each object that cannot be read. */
export type HealthQuery = { readonly minutes: number; readonly onDamage: (message: string) => void }

/** Health of every target and bucket that is registered or has an event or success, in descending order of subject and name. */
export async function readHealth(state: State, { minutes, onDamage }: HealthQuery): Promise<readonly Health[]> {
  const { storage, tools } = state
  const since = tools.now() - minutes * 60_000
  // Reads the whole journal: the window limits the count of errors, not the search for the last error.
  const allEvents = await readJournal(storage, { onDamage })
  const events = allEvents.filter(({ time }) => Date.parse(time) >= since)
  const successes = await readSuccesses(storage, onDamage)
  const { targets, buckets } = await readRegistry(storage)
  const registered = [
    ...[...targets.keys()].map(name => ({ subject: 'target' as const, name })),
    ...[...BUILT_IN, ...buckets.keys()].map(name => ({ subject: 'bucket' as const, name })),
  ]
  const subjects = new Map(
    [...registered, ...successes, ...events].map(({ subject, name }) => [`${subject} ${name}`, { subject, name }]),
  )
  return [...subjects]
    .sort(([left], [right]) => (left < right ? 1 : -1))
    .map(([, subject]) => computeHealth(subject, { allEvents, events, successes }))
}

/**
 * Health of the targets that fail, by target id. Targets that are not registered share the health of their kind.
 * @throws {IngestError} when the registry cannot be read
 */
export async function readFailingTargets(
  state: State,
  targets: readonly { readonly id: string; readonly kind: string }[],
  onDamage: HealthQuery['onDamage'],
): Promise<ReadonlyMap<string, Health>> {
  const registry = await readRegistry(state.storage)
  const names = new Map([...registry.targets.values()].map(({ identity, name }) => [identity, name]))
  const health = await readHealth(state, { minutes: Infinity, onDamage })
  const failing = health.filter(one => one.subject === 'target' && one.state === 'failing')
  return new Map(
    targets.flatMap(({ id, kind }) => {
      const found = failing.find(({ name }) => name === (names.get(id) ?? kind))
      return found === undefined ? [] : [[id, found] as const]
    }),
  )
}

/** The last success of each target and bucket. */
export async function readSuccesses(
  storage: Storage,
  onDamage: (message: string) => void,
): Promise<readonly Success[]> {
  const successes: Success[] = []
  for await (const { key } of listAll(storage, HEALTH)) {
    const body = await storage.get(key)
    try {
      if (body !== undefined) successes.push(parseDocument(body, { key, parse: parseSuccess, storage }))
    } catch (error) {
      onDamage(messageOf(error))
    }
  }
  return successes
}

type HealthData = {
  /** All events, newest first. */
  readonly allEvents: readonly JournalEvent[]
  /** The events in the window. */
  readonly events: readonly JournalEvent[]
  readonly successes: readonly Success[]
}

function computeHealth(
  { subject, name }: Pick<Health, 'subject' | 'name'>,
  { allEvents, events, successes }: HealthData,
): Health {
  const isSame = (other: Pick<Health, 'subject' | 'name'>): boolean => other.subject === subject && other.name === name
  const errors = events.filter(isSame).length
  const lastError = allEvents.find(isSame)
  const lastSuccess = successes.find(isSame)?.at
  const state = healthState({ errors, lastError, lastSuccess })
  const failure = state === 'failing' && lastError !== undefined ? failureCause(lastError.code) : undefined
  return { subject, name, errors, lastError, lastSuccess, state, failure }
}

function healthState({
  errors,
  lastError,
  lastSuccess,
}: Pick<Health, 'errors' | 'lastError' | 'lastSuccess'>): Health['state'] {
  if (lastError === undefined) return lastSuccess === undefined ? 'unknown' : 'ok'
  // Retries that led to a success carry the same time as that success, so equal times mean success.
  if (lastSuccess === undefined || lastSuccess < lastError.time) return 'failing'
  return errors > 0 ? 'recovered' : 'ok'
}

function parseSuccess(fields: Fields): Success {
  return { subject: fields.word('sort', JOURNAL_SUBJECTS), name: fields.text('name'), at: fields.text('at') }
}
