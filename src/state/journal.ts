/** The journal: failed operations on targets and buckets, written by every command that delivers. */

import { IngestError, messageOf } from '../errors.js'
import type { Storage } from '../storage/storage.js'
import { type JournalEvent, type JournalSubject, journalKeys, readJournalObject, storeEvents } from './journal-event.js'
import type { State } from './state.js'
import { newId, idTime } from './keys.js'

/** The number of events that a compaction keeps; buffering more would waste memory. */
const MAX_BUFFERED = 10_000

export type JournalOptions = {
  /** Benchmark id of the run, or the name of the command. */
  readonly run: string
  /** Removes secrets from a message. */
  readonly redact: (message: string) => string
}

export type FailedOperation = {
  readonly subject: JournalSubject
  readonly name: string
  readonly operation: string
  readonly error: unknown
  /** Counted from 1. Default: 1. */
  readonly attempt?: number
  /** Milliseconds since 1970. Default: now. */
  readonly at?: number | undefined
}

/** Collects the failures of this process in memory until `flush` stores them. */
export class Journal {
  #waiting: JournalEvent[] = []

  constructor(
    private readonly state: State,
    private readonly options: JournalOptions,
  ) {}

  /** Number of events that are not stored yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Buffers one failure. Drops the oldest event when the buffer is full. */
  record({ subject, name, operation, error, attempt = 1, at = this.state.tools.now() }: FailedOperation): void {
    const { run, redact } = this.options
    const code = error instanceof IngestError ? error.code : 'internal'
    const message = redact(messageOf(error))
    this.#waiting.push({
      id: newId(at),
      time: new Date(at).toISOString(),
      subject,
      name,
      operation,
      code,
      message,
      attempt,
      run,
    })
    if (this.#waiting.length > MAX_BUFFERED) this.#waiting.shift()
  }

  /**
   * Stores the buffered events. When that fails, they stay buffered.
   * @returns the number of events stored
   * @throws {IngestError} when the storage fails
   */
  async flush(): Promise<number> {
    const events = this.#waiting
    if (events.length === 0) return 0
    this.#waiting = []
    try {
      await storeEvents(this.state.storage, events, this.state.tools.now())
    } catch (error) {
      this.#waiting = [...events, ...this.#waiting].slice(-MAX_BUFFERED)
      throw error
    }
    return events.length
  }
}

export type JournalQuery = {
  /** Name of a target or bucket. Default: all. */
  readonly name?: string | undefined
  /** Milliseconds since 1970. Default: no limit. */
  readonly since?: number | undefined
  /** Default: no limit. */
  readonly limit?: number | undefined
  /** Called for each object that cannot be read; its events are left out. */
  readonly onDamage: (message: string) => void
}

/** The events that match a query, newest first. */
export async function readJournal(storage: Storage, query: JournalQuery): Promise<readonly JournalEvent[]> {
  const { name, since = 0, limit = Infinity, onDamage } = query
  const { events } = await readJournalContents(storage, { since, onDamage })
  const wanted = events.filter(event => Date.parse(event.time) >= since && (name === undefined || event.name === name))
  return wanted.sort(compareEvents).reverse().slice(0, limit)
}

/** Orders events by time, then by id. */
function compareEvents(left: JournalEvent, right: JournalEvent): number {
  const [first, second] = [left.time + left.id, right.time + right.id]
  return first < second ? -1 : first > second ? 1 : 0
}

type ReadOptions = {
  readonly since: number
  /** When undefined, an object that cannot be read is thrown as an error. */
  readonly onDamage: ((message: string) => void) | undefined
}

type JournalContents = { readonly keys: readonly string[]; readonly events: JournalEvent[] }

/** Reads all events, each once. Starts again when a concurrent compaction deletes an object. */
async function readJournalContents(storage: Storage, options: ReadOptions): Promise<JournalContents> {
  for (;;) {
    const contents = await tryReadJournalContents(storage, options)
    if (contents !== undefined) return contents
  }
}

async function tryReadJournalContents(
  storage: Storage,
  { since, onDamage }: ReadOptions,
): Promise<JournalContents | undefined> {
  const keys = (await journalKeys(storage)).filter(key => mayHoldEventsSince(key, since))
  const events = new Map<string, JournalEvent>()
  const damaged: string[] = []
  for (const key of keys) {
    try {
      const found = await readJournalObject(storage, key)
      if (found === undefined) return undefined
      for (const event of found) events.set(event.id, event)
    } catch (error) {
      if (onDamage === undefined || !isCorruption(error)) throw error
      damaged.push(messageOf(error))
    }
  }
  for (const message of damaged) onDamage?.(message)
  return { keys, events: [...events.values()] }
}

function mayHoldEventsSince(key: string, since: number): boolean {
  try {
    return idTime(key) >= since
  } catch {
    // Not a journal key: reading the object reports the damage.
    return true
  }
}

function isCorruption(error: unknown): boolean {
  return error instanceof IngestError && (error.code === 'state_corrupt' || error.code === 'state_version')
}

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
