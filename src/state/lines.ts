/**
 * Lines of a batch as objects of bounded size: a JSON header with format version, partition and owner, then the lines
 * exactly as they were read.
 */

import { createHash } from 'node:crypto'
import type { LineBlock } from '../source/lines.js'
import type { Storage } from '../storage/storage.js'
import { assertStateVersion, corruptStateError, STATE_VERSION, Fields } from './fields.js'
import type { LinesObject } from './head.js'
import { linesPrefix, type Partition, newId } from './keys.js'
import { parseOwner, type Owner, type State } from './state.js'

const LF = 0x0a
/** A compromise between the number of S3 requests and memory. */
export const OBJECT_BYTES = 8 * 1024 * 1024
/** The block size that `lineBlocks` uses for files. */
const BLOCK_BYTES = 256 * 1024

/** Stores all lines of `blocks`. The objects have no effect until a head names them. */
export async function storeLines(
  state: State,
  partition: Partition,
  blocks: AsyncIterable<LineBlock>,
): Promise<readonly LinesObject[]> {
  const objects: LinesObject[] = []
  const header = Buffer.from(`${JSON.stringify({ version: STATE_VERSION, partition, owner: state.owner })}\n`)
  let parts: Buffer[] = [header]
  let bytes = header.length
  const store = async (): Promise<void> => {
    if (parts.length > 1) objects.push(await storeObject(state, partition, Buffer.concat(parts, bytes)))
    parts = [header]
    bytes = header.length
  }
  for await (const block of blocks) {
    if (bytes + block.bytes.length > OBJECT_BYTES) await store()
    // Copied because the reader reuses the block's memory.
    parts.push(Buffer.from(block.bytes))
    bytes += block.bytes.length
  }
  await store()
  return objects
}

async function storeObject({ storage, tools }: State, partition: Partition, body: Buffer): Promise<LinesObject> {
  const key = `${linesPrefix(partition)}${newId(tools.now())}`
  await storage.put(key, body)
  return { key, bytes: body.length, digest: sha256(body) }
}

/**
 * Reads the lines of several objects, in order.
 * @throws {IngestError} `state_corrupt` when an object is missing or differs from its size or digest, `state_version`
 */
export async function* readLines(storage: Storage, objects: readonly LinesObject[]): AsyncGenerator<LineBlock> {
  let firstByte = 0
  for (const object of objects) {
    const body = await readObject(storage, object)
    for (let start = endOfHeader(body); start < body.length;) {
      const end = endOfBlock(body, start)
      yield { bytes: body.subarray(start, end), firstByte, tooLong: false }
      firstByte += end - start
      start = end
    }
  }
}

async function readObject(storage: Storage, { key, bytes, digest }: LinesObject): Promise<Buffer> {
  const where = `${key} in ${storage.description}`
  const body = await storage.get(key)
  if (body === undefined) throw corruptStateError(where, 'the object is missing')
  parseHeader(body, where)
  if (body.length !== bytes) throw corruptStateError(where, `the object has ${body.length} of ${bytes} bytes`)
  if (sha256(body) !== digest) throw corruptStateError(where, 'the content does not match its digest')
  return body
}

/** The process that stored an object, from its header. @throws {IngestError} `state_corrupt`, `state_version` */
export function parseLinesOwner(body: Buffer, where: string): Owner {
  return parseOwner(parseHeader(body, where).fields('owner'))
}

function parseHeader(body: Buffer, where: string): Fields {
  let header: unknown
  try {
    header = JSON.parse(body.toString('utf8', 0, endOfHeader(body)))
  } catch (cause) {
    throw corruptStateError(where, 'its first line is not JSON', cause)
  }
  const fields = new Fields(header, where)
  assertStateVersion(fields.count('version'), where)
  return fields
}

function endOfHeader(body: Buffer): number {
  const end = body.indexOf(LF) + 1
  return end === 0 ? body.length : end
}

/** End of the next block: whole lines up to the block size, or one line that is longer. */
function endOfBlock(body: Buffer, start: number): number {
  if (body.length - start <= BLOCK_BYTES) return body.length
  const end = body.lastIndexOf(LF, start + BLOCK_BYTES - 1) + 1
  return end > start ? end : body.indexOf(LF, start) + 1
}

function sha256(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex')
}
