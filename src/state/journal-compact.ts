/** Keeps the journal bounded: one object in place of many, without what is too old or too much. */

import { compareEvents, readJournalContents } from './journal.js'
import { storeEvents } from './journal-object.js'
import type { State } from './state.js'

export const MAX_AGE_MS = 30 * 24 * 60 * 60_000
export const MAX_EVENTS = 10_000

export type JournalSize = { readonly objects: number; readonly events: number }
export type JournalCompacted = { readonly before: JournalSize; readonly after: JournalSize }

/**
 * Ended at any instant it leaves every event that is to stay, some of them perhaps twice, of which readers show one. The
 * same holds for two at once.
 * @throws {IngestError} `state_corrupt`, `state_version`: nothing is dropped that could not be read
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
