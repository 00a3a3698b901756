/**
 * Journal events: failed operations on targets and buckets. An object of the journal is a JSON line with the format
 * version, then one JSON line per event. It is never changed.
 */

import type { JournalEventReport } from '../reports/state.js'
import { Fields, assertStateVersion, corruptStateError, STATE_VERSION } from './fields.js'
import { messageOf } from '../errors.js'
import { listAll, type Storage } from '../storage/storage.js'
import { JOURNAL, journalKey, newId } from './keys.js'

export const JOURNAL_SUBJECTS = ['target', 'bucket'] as const
export type JournalSubject = (typeof JOURNAL_SUBJECTS)[number]

export type JournalEvent = {
  /** Unique per event. An event that is stored twice has one id and is shown once. */
  readonly id: string
  /** RFC 3339, in UTC. */
  readonly time: string
  readonly subject: JournalSubject
  /** Name of the target or bucket. */
  readonly name: string
  /** `deliver`, `get`, `put`, `list` or `delete`. */
  readonly operation: string
  /** Code of the `IngestError`, or `internal`. */
  readonly code: string
  /** Error message without secrets. */
  readonly message: string
  /** Counted from 1. */
  readonly attempt: number
  /** Benchmark id of the run, or the name of the command. */
  readonly run: string
}

function parseJournalEvent(fields: Fields): JournalEvent {
  return {
    id: fields.text('id'),
    time: fields.text('time'),
    subject: fields.word('sort', JOURNAL_SUBJECTS),
    name: fields.text('name'),
    operation: fields.text('operation'),
    code: fields.text('code'),
    message: fields.text('message'),
    attempt: fields.count('attempt'),
    run: fields.text('run'),
  }
}

export function journalEventDocument({
  id,
  time,
  subject,
  name,
  operation,
  code,
  message,
  attempt,
  run,
}: JournalEvent): JournalEventReport {
  return { id, time, subject, name, operation, code, message, attempt, run }
}

/**
 * Stores events as one new object. A stored event calls the subject `sort`.
 * @param now milliseconds since 1970
 * @returns the key of the object
 */
export async function storeEvents(storage: Storage, events: readonly JournalEvent[], now: number): Promise<string> {
  const newest = Math.max(now, ...events.map(({ time }) => Date.parse(time)))
  // The id carries the time of the newest event, so that readers of recent events can skip older objects by key.
  const key = journalKey(newId(newest))
  const stored = events.map(({ subject, ...event }) => ({ ...event, sort: subject }))
  const lines = [{ version: STATE_VERSION }, ...stored].map(line => `${JSON.stringify(line)}\n`)
  await storage.put(key, Buffer.from(lines.join('')))
  return key
}

export async function journalKeys(storage: Storage): Promise<readonly string[]> {
  const keys: string[] = []
  for await (const { key } of listAll(storage, JOURNAL)) keys.push(key)
  return keys
}

/**
 * Reads the events of one object.
 * @returns undefined when the object does not exist any more
 * @throws {IngestError} `state_corrupt`, `state_version`
 */
export async function readJournalObject(storage: Storage, key: string): Promise<readonly JournalEvent[] | undefined> {
  const body = await storage.get(key)
  if (body === undefined) return undefined
  const where = `${key} in ${storage.description}`
  const [header, ...lines] = body.toString('utf8').split('\n')
  assertStateVersion(parseLine(header ?? '', where).count('version'), where)
  if (lines.pop() !== '') throw corruptStateError(where, 'its last line does not end with a line feed')
  return lines.map(line => parseJournalEvent(parseLine(line, where)))
}

function parseLine(line: string, where: string): Fields {
  try {
    return new Fields(JSON.parse(line), where)
  } catch (cause) {
    throw corruptStateError(where, messageOf(cause), cause)
  }
}
