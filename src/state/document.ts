/** JSON documents in state. Each holds its format version; a document of another version is refused and not changed. */

import { messageOf } from '../errors.js'
import { VersionConflict, type Storage, type Version } from '../storage/storage.js'
import { assertStateVersion, corruptStateError, STATE_VERSION, Fields } from './fields.js'
import type { State } from './state.js'

export type Document<T> = {
  readonly value: T
  /** Version in the storage; `writeDocument` needs it to replace the document. */
  readonly stored: Version
}

/**
 * Reads and parses a document.
 * @returns undefined when the key does not exist
 * @throws {IngestError} `state_corrupt`, or `state_version` when another version of the program wrote the document
 */
export async function readDocument<T>(
  storage: Storage,
  key: string,
  parse: (fields: Fields) => T,
): Promise<Document<T> | undefined> {
  const found = await storage.getVersioned(key)
  return found && { value: parseDocument(found.body, { key, parse, storage }), stored: found.version }
}

type Parsing<T> = { readonly key: string; readonly parse: (fields: Fields) => T; readonly storage: Storage }

export function parseDocument<T>(body: Buffer, { key, parse, storage }: Parsing<T>): T {
  const where = `${key} in ${storage.description}`
  const fields = new Fields(parseJson(body, where), where)
  assertStateVersion(fields.count('version'), where)
  return parse(fields)
}

export function encodeDocument(fields: object): Buffer {
  return Buffer.from(`${JSON.stringify({ version: STATE_VERSION, ...fields })}\n`)
}

/**
 * Creates or replaces a document by compare-and-swap.
 * @param over the version to replace; undefined to create the document
 * @throws {VersionConflict} when another process was first
 */
export async function writeDocument(
  storage: Storage,
  key: string,
  { fields, over }: { readonly fields: object; readonly over: Version | undefined },
): Promise<Version> {
  const body = encodeDocument(fields)
  if (over !== undefined) return storage.putIfMatch(key, body, over)
  const version = await storage.putIfAbsent(key, body)
  if (version === undefined) throw new VersionConflict(key)
  return version
}

function parseJson(body: Buffer, where: string): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw corruptStateError(where, messageOf(cause), cause)
  }
}

const FIRST_DELAY_MS = 5
const MAX_DELAY_MS = 500

/**
 * Repeats `attempt` until it does not throw `VersionConflict`, with random delays that grow up to 500 ms.
 * @param attempt reads the current version, changes it and writes it back
 */
export async function retryOnConflict<T>({ tools }: State, attempt: () => Promise<T>): Promise<T> {
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, MAX_DELAY_MS)) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error
      await tools.sleep(tools.random() * delayMs)
    }
  }
}
