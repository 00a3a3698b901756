/**
 * All of a state as lines of JSON: an object each, then their number, so that a file that was cut is noticed. Objects are
 * not looked into, so damaged ones go along.
 */

import { isUtf8 } from 'node:buffer'
import { IngestError } from '../errors.js'
import type { LineBlock } from '../source/lines.js'
import { isKey, listAll, type Storage } from '../storage/storage.js'
import { INTENTS, TARGETS, WATERMARKS } from './keys.js'

export type ExportedObject = { readonly key: string; readonly body: Buffer }

/**
 * Watermarks before what they are about, in case somebody writes meanwhile: a target that is said to have too little is
 * given it once more, one that is said to have too much loses it.
 */
const EXPORTED_FIRST: readonly string[] = [WATERMARKS, INTENTS, TARGETS]

/** @returns lines with their line feeds */
export async function* exportLines(storage: Storage): AsyncGenerator<string> {
  let objects = 0
  for await (const key of keysInOrder(storage)) {
    const body = await storage.get(key)
    // Deleted meanwhile.
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
 * Writes what `exportLines` gave into an empty storage, after all of it was looked at. Watermarks come last: without
 * them everything is delivered again, without the lines they are about nothing would be.
 * @param read the lines from the start, each time it is asked
 * @param source what messages call them
 * @returns how many objects there are
 * @throws {IngestError} `usage` when something is there, `bad_data` when the lines are not all of a state: nothing is written
 */
export async function importLines(
  storage: Storage,
  read: () => AsyncIterable<LineBlock>,
  source: string,
): Promise<number> {
  await assertEmpty(storage)
  let objects = 0
  for await (const entry of parseExport(read(), source)) objects += entry.key === '' ? 0 : 1
  for (const ofWatermarks of [false, true])
    for await (const { key, body } of parseExport(read(), source)) {
      if (key.startsWith(WATERMARKS) !== ofWatermarks) continue
      if ((await storage.putIfAbsent(key, body)) === undefined) throw notEmptyError(storage, key)
    }
  return objects
}

async function assertEmpty(storage: Storage): Promise<void> {
  const { objects } = await storage.list('', { limit: 1 })
  if (objects[0] !== undefined) throw notEmptyError(storage, objects[0].key)
}

function notEmptyError({ description }: Storage, key: string): IngestError {
  const hint = 'name a new place: what two states know does not add up'
  return new IngestError('usage', `there is a state in ${description} already: it has ${key}`, { hint })
}

/** @throws {IngestError} `bad_data` also when the end is missing, or not the end */
async function* parseExport(blocks: AsyncIterable<LineBlock>, source: string): AsyncGenerator<ExportedObject> {
  const keys = new Set<string>()
  let isOver = false
  for await (const { bytes, tooLong } of blocks) {
    if (tooLong) throw invalidExport(source, 'it has a line that is too long')
    for (const line of bytes.toString().split('\n')) {
      if (line === '') continue
      if (isOver) throw invalidExport(source, 'it goes on after its end')
      const parsed = parseLine(line, source)
      if (typeof parsed === 'number') {
        if (parsed !== keys.size) throw invalidExport(source, `it has ${keys.size} objects of ${parsed}`)
        isOver = true
      } else {
        if (keys.has(parsed.key)) throw invalidExport(source, `it has ${parsed.key} twice`)
        keys.add(parsed.key)
        yield parsed
      }
    }
  }
  if (!isOver) throw invalidExport(source, `it ends after ${keys.size} objects, without saying that these are all`)
}

/** @returns the number of objects for the last line */
function parseLine(line: string, source: string): ExportedObject | number {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw invalidExport(source, 'a line is no JSON', cause)
  }
  const { key, body, encoding, objects } = (value ?? {}) as Readonly<Record<string, unknown>>
  if (typeof objects === 'number' && key === undefined) return objects
  if (typeof key !== 'string' || !isKey(key) || typeof body !== 'string')
    throw invalidExport(source, 'a line is no object of a state')
  if (encoding !== undefined && encoding !== 'base64') throw invalidExport(source, 'it is from a newer vortex-ingest')
  return { key, body: Buffer.from(body, encoding ?? 'utf8') }
}

function invalidExport(source: string, what: string, cause?: unknown): IngestError {
  const hint = 'export it once more; nothing was written'
  return new IngestError('bad_data', `${source} is not all of an exported state: ${what}`, { cause, hint })
}
