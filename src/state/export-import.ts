/**
 * Export and import of a whole state as JSON lines: one line per object, then a line with their number, so that a
 * truncated file is detected. Objects are not parsed, so damaged ones are exported too.
 */

import { isUtf8 } from 'node:buffer'
import { IngestError } from '../errors.js'
import type { LineBlock } from '../source/lines.js'
import { isKey, listAll, type Storage } from '../storage/storage.js'
import { INTENTS, TARGETS, WATERMARKS } from './keys.js'

type ExportedObject = { readonly key: string; readonly body: Buffer }

/**
 * Exported before the outbox, in case another process writes during the export. A watermark that is too low only repeats
 * a delivery; one that is too high would lose records.
 */
const EXPORTED_FIRST: readonly string[] = [WATERMARKS, INTENTS, TARGETS]

/** Lines with their line feeds. */
export async function* exportLines(storage: Storage): AsyncGenerator<string> {
  let objects = 0
  for await (const key of keysInOrder(storage)) {
    const body = await storage.get(key)
    // Deleted since the listing.
    if (body === undefined) continue
    objects++
    yield `${JSON.stringify(isUtf8(body) ? { key, body: body.toString() } : { key, body: body.toString('base64'), encoding: 'base64' })}\n`
  }
  yield `${JSON.stringify({ objects })}\n`
}

async function* keysInOrder(storage: Storage): AsyncGenerator<string> {
  for (const prefix of EXPORTED_FIRST) for await (const { key } of listAll(storage, prefix)) yield key
  for await (const { key } of listAll(storage, ''))
    if (!EXPORTED_FIRST.some(prefix => key.startsWith(prefix))) yield key
}

/**
 * Imports exported lines into an empty storage, after checking all of them. Watermarks are written last: if the import is
 * interrupted, records are delivered again and none is skipped.
 * @param read returns the lines from the start each time it is called
 * @param source name of the lines in messages
 * @returns the number of objects
 * @throws {IngestError} `usage` when the storage is not empty, `bad_data` when the export is incomplete or invalid;
 * nothing is written in either case
 */
export async function importLines(
  storage: Storage,
  read: () => AsyncIterable<LineBlock>,
  source: string,
): Promise<number> {
  await assertEmpty(storage)
  let objects = 0
  for await (const entry of parseExport(read(), source)) objects += entry.key === '' ? 0 : 1
  for (const isWatermarkPass of [false, true])
    for await (const { key, body } of parseExport(read(), source)) {
      if (key.startsWith(WATERMARKS) !== isWatermarkPass) continue
      if ((await storage.putIfAbsent(key, body)) === undefined) throw notEmptyError(storage, key)
    }
  return objects
}

async function assertEmpty(storage: Storage): Promise<void> {
  const { objects } = await storage.list('', { limit: 1 })
  if (objects[0] !== undefined) throw notEmptyError(storage, objects[0].key)
}

function notEmptyError({ description }: Storage, key: string): IngestError {
  const hint = 'name an empty location: two states cannot be merged'
  return new IngestError('usage', `${description} already holds a state: it has ${key}`, { hint })
}

/** @throws {IngestError} `bad_data` for an invalid line, and when the closing line is missing or not the last */
async function* parseExport(blocks: AsyncIterable<LineBlock>, source: string): AsyncGenerator<ExportedObject> {
  const keys = new Set<string>()
  let isOver = false
  for await (const { bytes, tooLong } of blocks) {
    if (tooLong) throw invalidExport(source, 'a line is too long')
    for (const line of bytes.toString().split('\n')) {
      if (line === '') continue
      if (isOver) throw invalidExport(source, 'there are lines after the closing line')
      const parsed = parseLine(line, source)
      if (typeof parsed === 'number') {
        if (parsed !== keys.size) throw invalidExport(source, `it has ${keys.size} of ${parsed} objects`)
        isOver = true
      } else {
        if (keys.has(parsed.key)) throw invalidExport(source, `${parsed.key} occurs twice`)
        keys.add(parsed.key)
        yield parsed
      }
    }
  }
  if (!isOver) throw invalidExport(source, `it ends after ${keys.size} objects without a closing line`)
}

/** @returns an object, or the number of objects for the closing line */
function parseLine(line: string, source: string): ExportedObject | number {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw invalidExport(source, 'a line is not JSON', cause)
  }
  const { key, body, encoding, objects } = (value ?? {}) as Readonly<Record<string, unknown>>
  if (typeof objects === 'number' && key === undefined) return objects
  if (typeof key !== 'string' || !isKey(key) || typeof body !== 'string')
    throw invalidExport(source, 'a line is not an object of a state')
  if (encoding !== undefined && encoding !== 'base64') throw invalidExport(source, 'a newer vortex-ingest wrote it')
  return { key, body: Buffer.from(body, encoding ?? 'utf8') }
}

function invalidExport(source: string, what: string, cause?: unknown): IngestError {
  const hint = 'export the state again; nothing was written'
  return new IngestError('bad_data', `${source} is not a complete export of a state: ${what}`, { cause, hint })
}
