/** Reads an archive: the newest record of each measurement. docs/archive.md documents the rule. */

import { isNewerGeneration, parseGeneration, type Generation } from '../../contract/generation.js'
import type { Hash64 } from '../../contract/hash64.js'
import { CONTRACT, type Kind } from '../../contract/kinds.js'
import { IngestError } from '../../errors.js'
import { chunkReader } from '../../source/byte-reader.js'
import { decompress } from '../../source/decompress.js'
import { IdTable } from '../../source/id-table.js'
import { createIdentifier } from '../../source/identify.js'
import { lineBlocks } from '../../source/lines.js'
import type { RecordBatch } from '../../source/record-batch.js'
import { recordLines, type RecordLines } from '../../source/record-lines.js'
import { listAll, type BucketStorage } from '../../storage/storage.js'
import { gzipComment } from './gzip-comment.js'
import { inArchiveOrder, parseArchiveKey, type ArchiveObject } from './object-key.js'

export type ReadArchiveOptions = {
  /** Reads only the records of this commit. */
  readonly commit?: string | undefined
  /** Reads only records of these kinds. Default: all. */
  readonly kinds?: readonly Kind[] | undefined
  /** Reads only records that this function accepts. */
  readonly isWanted?: ((batch: RecordBatch, row: number) => boolean) | undefined
  readonly hash: Hash64
  readonly signal: AbortSignal
}

/** Records of one kind. Valid until the next ones are requested. */
export type ArchivedRecords = {
  readonly kind: Kind
  readonly batch: RecordBatch
  /** Rows of the batch. */
  readonly rows: readonly number[]
  /** The unchanged line of a row, with its line feed. */
  readonly lineOf: (row: number) => Buffer
}

/**
 * Yields the newest record of each measurement, by table and commit and in the order in which they were enqueued. Holds
 * one object and 16 bytes per measurement of one commit in memory, and 16 more for each CI project that measured it.
 * @throws {IngestError} `input_corrupt` and `bad_data` for an object that cannot be read
 */
export async function* newestRecords(
  objects: BucketStorage,
  options: ReadArchiveOptions,
): AsyncGenerator<ArchivedRecords> {
  const { commit, kinds = CONTRACT.kinds, isWanted = () => true, signal } = options
  const identify = createIdentifier(options.hash)
  for (const kind of kinds)
    for await (const group of groupByCommit(objects, kind.table, commit)) {
      const read = (): AsyncGenerator<ArchivedLines> => identified(objects, group, { identify, signal })
      for await (const records of recordsAt(read, await newestPositions(read))) {
        const rows = records.rows.filter(row => isWanted(records.batch, row))
        if (rows.length > 0) yield { ...records, kind, rows }
      }
    }
}

/** The objects of each commit, in archive order. Keys of one commit follow each other in a listing. */
async function* groupByCommit(
  objects: BucketStorage,
  table: string,
  commit: string | undefined,
): AsyncGenerator<readonly ArchiveObject[]> {
  let group: ArchiveObject[] = []
  for await (const { key } of listAll(objects, `${table}/${commit === undefined ? '' : `${commit}/`}`)) {
    const object = parseArchiveKey(key, objects.description)
    if (group.length > 0 && group[0]!.commit !== object.commit) {
      yield inArchiveOrder(group)
      group = []
    }
    group.push(object)
  }
  if (group.length > 0) yield inArchiveOrder(group)
}

/** Lines of an object, and its generation; undefined for an object of an earlier version. */
type ArchivedLines = RecordLines & { readonly generation: Generation | undefined }

type Reading = { readonly identify: ReturnType<typeof createIdentifier>; readonly signal: AbortSignal }

async function* identified(
  objects: BucketStorage,
  group: readonly ArchiveObject[],
  { identify, signal }: Reading,
): AsyncGenerator<ArchivedLines> {
  for (const { key } of group) {
    const source = `${key} in ${objects.description}`
    for await (const read of readObject(objects, key, source)) {
      signal.throwIfAborted()
      identify(read.batch)
      yield read
    }
  }
}

async function* readObject(objects: BucketStorage, key: string, source: string): AsyncGenerator<ArchivedLines> {
  const body = await objects.get(key)
  if (body === undefined) throw new IngestError('input_changed', `${source} was removed while the archive was read`)
  if (body.length === 0) throw new IngestError('bad_data', `${source} is empty, so its records are lost`)
  const generation = readGeneration(body, source)
  const packed = async function* (): AsyncGenerator<Uint8Array> {
    yield body
  }
  const reader = await decompress(
    chunkReader(packed(), () => Promise.resolve()),
    source,
  )
  const onRejection = ({ line, message }: { line: number; message: string }): IngestError =>
    new IngestError('bad_data', `${source}, line ${line}: ${message}`)
  for await (const lines of recordLines(lineBlocks(reader), { source, onRejection })) yield { ...lines, generation }
}

function readGeneration(body: Buffer, source: string): Generation | undefined {
  const comment = gzipComment(body)
  if (comment === undefined) return undefined
  const generation = parseGeneration(comment)
  if (generation !== undefined) return generation
  const hint = 'restore the object from a copy: its gzip comment says which records are newer'
  throw new IngestError('bad_data', `${source}: its gzip comment is not a generation`, { hint })
}

/** Maps each measurement to the position of its newest record, counted from 1. */
async function newestPositions(read: () => AsyncIterable<ArchivedLines>): Promise<IdTable> {
  const newest = new IdTable()
  const attempts = new Map<string, LatestAttempts>()
  let before = 0
  for await (const { batch, generation } of read()) {
    let rows = Array.from({ length: batch.count }, (_, row) => row)
    const producer = generation?.ci?.producer
    if (generation !== undefined && producer !== undefined) {
      const ofProducer = attempts.get(producer) ?? new LatestAttempts()
      attempts.set(producer, ofProducer)
      rows = rows.filter(row => ofProducer.note(batch.ids[row]!, generation))
    }
    const ids = BigInt64Array.from(rows, row => batch.ids[row]!)
    newest.putAll(
      ids,
      Uint32Array.from(rows, row => before + row + 1),
      ignore,
    )
    before += batch.count
  }
  return newest
}

const ignore = (): void => undefined

/** The latest attempt of one CI project for each measurement. Records of its earlier attempts are never the newest. */
class LatestAttempts {
  readonly #generations: Generation[] = []
  readonly #latest = new IdTable()

  /** Notes a record in archive order. @returns false when an object before it holds the same measurement of a later attempt */
  note(id: bigint, generation: Generation): boolean {
    const known = this.#generations[this.#latest.get(id) - 1]
    if (known !== undefined && isNewerGeneration(known, generation)) return false
    if (this.#generations.at(-1) !== generation) this.#generations.push(generation)
    this.#latest.putAll(BigInt64Array.of(id), Uint32Array.of(this.#generations.length), ignore)
    return true
  }
}

async function* recordsAt(
  read: () => AsyncIterable<RecordLines>,
  newest: IdTable,
): AsyncGenerator<Omit<ArchivedRecords, 'kind'>> {
  let before = 0
  for await (const { batch, lineOf } of read()) {
    const rows: number[] = []
    for (let row = 0; row < batch.count; row++) if (newest.get(batch.ids[row]!) === before + row + 1) rows.push(row)
    before += batch.count
    yield { batch, rows, lineOf }
  }
}
