/** Compacts the journal into one object and drops events that are too old or too many. */

import { compareEvents, readJournalContents } from './journal.js'
import { storeEvents } from './journal-object.js'
import type { State } from './state.js'

export const MAX_AGE_MS = 30 * 24 * 60 * 60_000
export const MAX_EVENTS = 10_000

export type JournalSize = { readonly objects: number; readonly events: number }
export type JournalCompacted = { readonly before: JournalSize; readonly after: JournalSize }

/**
 * Keeps the newest `MAX_EVENTS` events that are younger than `MAX_AGE_MS`. An interrupted or concurrent compaction loses
 * none of them. It may store an event twice; readers show that event once.
 * @throws {IngestError} `state_corrupt`, `state_version`: nothing is deleted when an object cannot be read
 */
export async function compactJournal({ storage, tools }: State): Promise<JournalCompacted> {
  const { keys, events } = await readJournalContents(storage, { since: 0, onDamage: undefined })
  const before = { objects: keys.length, events: events.length }
  const oldestKept = tools.now() - MAX_AGE_MS
  const kept = events
    .filter(({ time }) => Date.parse(time) >= oldestKept)
    .sort(compareEvents)
    .slice(-MAX_EVENTS)
  if (keys.length <= 1 && kept.length === events.length) return { before, after: before }
  if (kept.length > 0) await storeEvents(storage, kept, tools.now())
  for (const key of keys) await storage.delete(key)
  return { before, after: { objects: kept.length === 0 ? 0 : 1, events: kept.length } }
}
