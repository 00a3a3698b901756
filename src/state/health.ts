/** How targets and buckets have been lately: their failures from the journal, and when each last did what it was asked. */

import { messageOf } from '../errors.js'
import { listAll, type Storage } from '../storage/storage.js'
import { BUILT_IN } from './buckets.js'
import { encodeDocument, parseDocument } from './document.js'
import type { Fields } from './fields.js'
import { readJournal } from './journal.js'
import { SUBJECT_SORTS, type JournalEvent, type SubjectSort } from './journal-event.js'
import { HEALTH, healthKey } from './keys.js'
import { readRegistry } from './registry.js'
import { timestamp, type State } from './state.js'

export type Success = { readonly sort: SubjectSort; readonly name: string; readonly at: string }

export type Health = {
  readonly sort: SubjectSort
  readonly name: string
  /** In the minutes that were asked about. */
  readonly errors: number
  /** The last that the journal knows of, however long ago. */
  readonly lastError: JournalEvent | undefined
  /** RFC 3339; undefined when there has been none. */
  readonly lastSuccess: string | undefined
  /**
   * `failing`: nothing has gone well since its last error, however long ago that was; `recovered`: something has, after
   * an error in these minutes; `unknown`: nothing has been asked of it.
   */
  readonly state: 'ok' | 'recovered' | 'failing' | 'unknown'
}

/** Whoever writes last has seen it last. */
export async function noteSuccess(state: State, sort: SubjectSort, name: string): Promise<void> {
  await state.storage.put(healthKey(sort, name), encodeDocument({ sort, name, at: timestamp(state) }))
}

export type HealthQuery = { readonly minutes: number; readonly onDamage: (message: string) => void }

/** Of all that are registered, or of which something is known, by sort and name. */
export async function readHealth(state: State, { minutes, onDamage }: HealthQuery): Promise<readonly Health[]> {
  const { storage, tools } = state
  const since = tools.now() - minutes * 60_000
  // What failed last and was not asked since is failing still: the minutes are of the count alone.
  const all = await readJournal(storage, { onDamage })
  const events = all.filter(({ time }) => Date.parse(time) >= since)
  const successes = await readSuccesses(storage, onDamage)
  const { targets, buckets } = await readRegistry(storage)
  const registered = [
    ...[...targets.keys()].map(name => ({ sort: 'target' as const, name })),
    ...[...BUILT_IN, ...buckets.keys()].map(name => ({ sort: 'bucket' as const, name })),
  ]
  const subjects = new Map(
    [...registered, ...successes, ...events].map(({ sort, name }) => [`${sort} ${name}`, { sort, name }]),
  )
  return [...subjects]
    .sort(([one], [other]) => (one < other ? 1 : -1))
    .map(([, subject]) => healthOf(subject, { all, events, successes }))
}

/** When each last did what it was asked. */
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
  /** The newest first. */
  readonly all: readonly JournalEvent[]
  /** Those of them in the minutes that were asked about. */
  readonly events: readonly JournalEvent[]
  readonly successes: readonly Success[]
}

function healthOf({ sort, name }: Pick<Health, 'sort' | 'name'>, { all, events, successes }: HealthData): Health {
  const isOf = (one: Pick<Health, 'sort' | 'name'>): boolean => one.sort === sort && one.name === name
  const errors = events.filter(isOf).length
  const lastError = all.find(isOf)
  const lastSuccess = successes.find(isOf)?.at
  return { sort, name, errors, lastError, lastSuccess, state: stateOf({ errors, lastError, lastSuccess }) }
}

function stateOf({
  errors,
  lastError,
  lastSuccess,
}: Pick<Health, 'errors' | 'lastError' | 'lastSuccess'>): Health['state'] {
  if (lastError === undefined) return lastSuccess === undefined ? 'unknown' : 'ok'
  // Retries that were won are noted with the success that they led to, and at the same instant.
  if (lastSuccess === undefined || lastSuccess < lastError.time) return 'failing'
  return errors > 0 ? 'recovered' : 'ok'
}

function parseSuccess(fields: Fields): Success {
  return { sort: fields.word('sort', SUBJECT_SORTS), name: fields.text('name'), at: fields.text('at') }
}
