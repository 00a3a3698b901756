/** Journal objects: a JSON line with the format version, then one JSON line per event. They are never changed. */

import { messageOf } from '../errors.js'
import { listAll, type Storage } from '../storage/storage.js'
import { assertStateVersion, corruptStateError, STATE_VERSION } from './state-errors.js'
import { Fields } from './fields.js'
import { parseJournalEvent, type JournalEvent } from './journal-event.js'
import { JOURNAL, journalKey } from './keys.js'
import { newId } from './ulid.js'

/**
 * Stores events as one new object.
 * @param now milliseconds since 1970
 * @returns the key of the object
 */
export async function storeEvents(storage: Storage, events: readonly JournalEvent[], now: number): Promise<string> {
  const newest = Math.max(now, ...events.map(({ time }) => Date.parse(time)))
  // The id carries the time of the newest event, so that readers of recent events can skip older objects by key.
  const key = journalKey(newId(newest))
  const lines = [{ version: STATE_VERSION }, ...events].map(line => `${JSON.stringify(line)}\n`)
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
  assertStateVersion(fieldsOf(header ?? '', where).count('version'), where)
  if (lines.pop() !== '') throw corruptStateError(where, 'its last line does not end with a line feed')
  return lines.map(line => parseJournalEvent(fieldsOf(line, where)))
}

function fieldsOf(line: string, where: string): Fields {
  try {
    return new Fields(JSON.parse(line), where)
  } catch (cause) {
    throw corruptStateError(where, messageOf(cause), cause)
  }
}
