/** What failed: written by every command that delivers, read by whoever wants to know why. */

import { IngestError, messageOf } from '../errors.js'
import type { Storage } from '../storage/storage.js'
import type { JournalEvent, SubjectSort } from './journal-event.js'
import { journalKeys, readJournalObject, storeEvents } from './journal-object.js'
import type { State } from './state.js'
import { newId, idTime } from './ulid.js'

/** More than compaction would keep are not worth their memory. */
const MAX_BUFFERED = 10_000

export type JournalOptions = {
  /** What runs. */
  readonly run: string
  /** Takes secrets out of a message. */
  readonly redact: (message: string) => string
}

export type FailedOperation = {
  readonly sort: SubjectSort
  readonly name: string
  readonly operation: string
  readonly error: unknown
  /** Counted from 1. Default: 1. */
  readonly attempt?: number
  /** Milliseconds since 1970. Default: now. */
  readonly at?: number | undefined
}

/** One process's part of it: held in memory until `flush`. */
export class Journal {
  #waiting: JournalEvent[] = []

  constructor(
    private readonly state: State,
    private readonly options: JournalOptions,
  ) {}

  /** Events that would be lost if the process ended now. */
  get waiting(): number {
    return this.#waiting.length
  }

  record({ sort, name, operation, error, attempt = 1, at = this.state.tools.now() }: FailedOperation): void {
    const { run, redact } = this.options
    const code = error instanceof IngestError ? error.code : 'internal'
    const message = redact(messageOf(error))
    this.#waiting.push({
      id: newId(at),
      time: new Date(at).toISOString(),
      sort,
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
   * Makes durable what waits. What could not be written waits on.
   * @returns how many events
   * @throws {IngestError} of the storage
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
  /** Of a target or bucket; default: all. */
  readonly name?: string | undefined
  /** Milliseconds since 1970; default: all there are. */
  readonly since?: number | undefined
  /** Default: no limit. */
  readonly limit?: number | undefined
  /** Told what cannot be read, and is left out. */
  readonly onDamage: (message: string) => void
}

/** The newest first. */
export async function readJournal(storage: Storage, query: JournalQuery): Promise<readonly JournalEvent[]> {
  const { name, since = 0, limit = Infinity, onDamage } = query
  const { events } = await readJournalContents(storage, { since, onDamage })
  const wanted = events.filter(event => Date.parse(event.time) >= since && (name === undefined || event.name === name))
  return wanted.sort(compareEvents).reverse().slice(0, limit)
}

export function compareEvents(one: JournalEvent, other: JournalEvent): number {
  const [first, second] = [one.time + one.id, other.time + other.id]
  return first < second ? -1 : first > second ? 1 : 0
}

export type ReadOptions = {
  readonly since: number
  /** Undefined: damage is thrown. */
  readonly onDamage: ((message: string) => void) | undefined
}

export type JournalContents = { readonly keys: readonly string[]; readonly events: JournalEvent[] }

/** Each event once. When a compaction takes an object away meanwhile, its successor is looked for. */
export async function readJournalContents(storage: Storage, options: ReadOptions): Promise<JournalContents> {
  for (;;) {
    const whole = await tryReadJournalContents(storage, options)
    if (whole !== undefined) return whole
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
    // Something else, which will be called damaged.
    return true
  }
}

function isCorruption(error: unknown): boolean {
  return error instanceof IngestError && (error.code === 'state_corrupt' || error.code === 'state_version')
}
