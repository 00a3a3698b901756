/** JSON objects in state. Each says its version: one that this program does not know is refused by name and left alone. */

import { messageOf } from '../errors.js'
import { VersionConflict, type Storage, type Version } from '../storage/storage.js'
import { assertStateVersion, corruptStateError, STATE_VERSION } from './state-errors.js'
import { Fields } from './fields.js'

export type Document<T> = {
  readonly value: T
  /** What `replace` must name to replace it. */
  readonly stored: Version
}

/**
 * @returns undefined when there is none
 * @throws {IngestError} `state_corrupt` when it is no such document, `state_version` when it is a newer one
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

/** Makes or replaces a document, unless somebody else was first. @throws {VersionConflict} */
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
