/**
 * Rejected lines in a state. A set holds the rejected lines of one push and the reasons, in pieces of bounded size. Its head is
 * written last, so a set without a head does not exist.
 */

import { createHash } from 'node:crypto'
import { IngestError } from '../errors.js'
import type { RejectReason } from '../reports/records.js'
import { chunkReader } from '../source/byte-reader.js'
import { lineBlocks } from '../source/lines.js'
import type { RejectSet } from '../source/rejects.js'
import { listAll, type Storage } from '../storage/storage.js'
import { audit } from './audit.js'
import { encodeDocument, readDocument } from './document.js'
import { corruptStateError, type Fields } from './fields.js'
import type { LinesObject } from './head.js'
import { isRejectsHead, newId, type Partition, REJECTS, rejectsHeadKey, rejectsPrefix } from './keys.js'
import { OBJECT_BYTES } from './lines.js'
import { timestamp, type State } from './state.js'

export type StoredRejects = {
  readonly id: string
  /** When the lines were rejected first, RFC 3339. */
  readonly at: string
  /** The commit of the push. Some of the lines may name another one. */
  readonly partition: Partition
  readonly sources: readonly string[]
  readonly rejected: number
  readonly lines: readonly LinesObject[]
  readonly reasons: readonly LinesObject[]
}

/** Stores a set. The same set has the same keys, so that storing it again changes nothing. */
export async function storeRejects(state: State, partition: Partition, set: RejectSet): Promise<void> {
  const { id, rejected, sources } = set
  const prefix = rejectsPrefix(id)
  const lines = await storePieces(state.storage, `${prefix}lines/`, set.lines())
  const reasons = await storePieces(state.storage, `${prefix}reasons/`, set.reasons())
  const fields = { id, at: timestamp(state), partition, sources, rejected, lines, reasons }
  await state.storage.putIfAbsent(rejectsHeadKey(id), encodeDocument(fields))
}

async function storePieces(
  storage: Storage,
  prefix: string,
  chunks: Iterable<Buffer> | AsyncIterable<Buffer>,
): Promise<readonly LinesObject[]> {
  const objects: LinesObject[] = []
  let parts: Buffer[] = []
  let bytes = 0
  const store = async (): Promise<void> => {
    const body = Buffer.concat(parts, bytes)
    const key = `${prefix}${String(objects.length + 1).padStart(6, '0')}`
    await storage.put(key, body)
    objects.push({ key, bytes, digest: sha256(body) })
    parts = []
    bytes = 0
  }
  for await (const chunk of chunks) {
    if (bytes > 0 && bytes + chunk.length > OBJECT_BYTES) await store()
    parts.push(chunk)
    bytes += chunk.length
  }
  if (bytes > 0) await store()
  return objects
}

/** All sets, oldest first. @throws {IngestError} `state_corrupt`, `state_version` */
export async function listRejects(storage: Storage): Promise<readonly StoredRejects[]> {
  const sets: StoredRejects[] = []
  for await (const { key } of listAll(storage, REJECTS)) {
    if (!isRejectsHead(key)) continue
    const found = await readDocument(storage, key, parseRejects)
    // Undefined when the set was removed since the listing.
    if (found !== undefined) sets.push(found.value)
  }
  return sets.sort((left, right) => (left.at < right.at ? -1 : left.at > right.at ? 1 : 0))
}

/**
 * The bytes of some pieces, in order.
 * @throws {IngestError} `state_corrupt` when a piece is missing or differs from its size or digest
 */
async function* readPieces(storage: Storage, pieces: readonly LinesObject[]): AsyncGenerator<Buffer> {
  for (const { key, bytes, digest } of pieces) {
    const body = await storage.get(key)
    const where = `${key} in ${storage.description}`
    if (body === undefined) throw corruptStateError(where, 'the object is missing')
    if (body.length !== bytes || sha256(body) !== digest)
      throw corruptStateError(where, 'the content does not match its digest')
    yield body
  }
}

const LF = 0x0a

/** The lines and reasons of several sets as one. */
export function joinedSets(
  storage: Storage,
  sets: readonly StoredRejects[],
): { readonly lines: AsyncIterable<Buffer>; readonly reasons: AsyncIterable<Buffer> } {
  return { lines: joinedLines(storage, sets), reasons: joinedReasons(storage, sets) }
}

/** A line feed is added where the last line of a set has none and another set follows. */
async function* joinedLines(storage: Storage, sets: readonly StoredRejects[]): AsyncGenerator<Buffer> {
  let last = LF
  for (const { lines } of sets) {
    if (last !== LF) yield Buffer.from('\n')
    for await (const piece of readPieces(storage, lines)) {
      yield piece
      last = piece[piece.length - 1]!
    }
  }
}

/** The reasons with line numbers in the joined lines. */
async function* joinedReasons(storage: Storage, sets: readonly StoredRejects[]): AsyncGenerator<Buffer> {
  let linesBefore = 0
  for (const { reasons, rejected } of sets) {
    const pieces = chunkReader(readPieces(storage, reasons), () => Promise.resolve())
    for await (const { bytes } of lineBlocks(pieces)) yield shiftedReasons(bytes, linesBefore)
    linesBefore += rejected
  }
}

function shiftedReasons(bytes: Buffer, linesBefore: number): Buffer {
  if (linesBefore === 0) return Buffer.from(bytes)
  const lines = bytes.toString().trimEnd().split('\n')
  const shifted = lines.map(line => {
    const reason = JSON.parse(line) as RejectReason
    return `${JSON.stringify({ ...reason, rejects_line: reason.rejects_line + linesBefore })}\n`
  })
  return Buffer.from(shifted.join(''))
}

/** Removes sets, each with an audit row. @param detail the reason, for people */
export async function removeRejects(state: State, sets: readonly StoredRejects[], detail: string): Promise<void> {
  for (const { id, partition, rejected } of sets) {
    const row = { id: newId(state.tools.now()), event: 'rejects-removed', target: '', partition, since: 0, until: 0 }
    await audit(state, { ...row, detail: `${rejected} rejected lines (${id}): ${detail}` })
    // The head first: a set without a head does not exist.
    await state.storage.delete(rejectsHeadKey(id))
    await state.storage.deletePrefix(rejectsPrefix(id))
  }
}

/** Removes the sets that are older, or only yields them in a dry run. Without an age none is removed, because nobody has repaired them. */
export async function* pruneRejects(
  state: State,
  { olderThanMs, dryRun }: { readonly olderThanMs: number | undefined; readonly dryRun: boolean },
): AsyncGenerator<StoredRejects> {
  const removedBefore = olderThanMs === undefined ? -Infinity : state.tools.now() - olderThanMs
  for (const set of await listRejects(state.storage)) {
    if (!(Date.parse(set.at) < removedBefore)) continue
    if (!dryRun) await removeRejects(state, [set], 'removed by age')
    yield set
  }
}

/** The sets with these ids, or all sets when there are no ids. @throws {IngestError} `not_found` */
export async function findRejects(storage: Storage, ids: readonly string[]): Promise<readonly StoredRejects[]> {
  const sets = await listRejects(storage)
  const unknown = ids.find(id => sets.every(set => set.id !== id))
  if (unknown !== undefined) {
    const hint = '`vortex-ingest state rejects ls` lists the ids'
    throw new IngestError('not_found', `there are no rejected lines ${unknown} in ${storage.description}`, { hint })
  }
  return ids.length === 0 ? sets : sets.filter(({ id }) => ids.includes(id))
}

export function parseRejects(fields: Fields): StoredRejects {
  return {
    id: fields.text('id'),
    at: fields.text('at'),
    partition: fields.text('partition'),
    sources: fields.texts('sources'),
    rejected: fields.count('rejected'),
    lines: fields.list('lines', parsePiece),
    reasons: fields.list('reasons', parsePiece),
  }
}

function parsePiece(fields: Fields): LinesObject {
  return { key: fields.text('key'), bytes: fields.count('bytes'), digest: fields.text('digest') }
}

function sha256(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex')
}
