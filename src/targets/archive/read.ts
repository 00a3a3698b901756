/** Reads an archive: the newest record of each measurement. docs/archive.md documents the rule. */

import type { Hash64 } from '../../contract/hash64.js'
import { CONTRACT } from '../../contract/kinds.js'
import { IngestError } from '../../errors.js'
import { chunkReader } from '../../source/byte-reader.js'
import { decompress } from '../../source/decompress.js'
import { IdTable } from '../../source/id-table.js'
import { createIdentifier } from '../../source/identify.js'
import { lineBlocks } from '../../source/lines.js'
import { recordLines, type RecordLines } from '../../source/record-lines.js'
import { listAll, type BucketStorage } from '../../storage/storage.js'
import { inArchiveOrder, parseArchiveKey, type ArchiveObject } from './object-key.js'

export type ReadArchiveOptions = {
  /** Reads only the records of this commit. */
  readonly commit?: string | undefined
  readonly hash: Hash64
  readonly signal: AbortSignal
}

/** Unchanged lines with their line feeds. */
export type ExportedLines = { readonly records: number; readonly bytes: Buffer }

/**
 * Yields the newest record of each measurement, by table and commit and in the order in which they were enqueued. Holds
 * 16 bytes per measurement of one commit and one object in memory.
 * @throws {IngestError} `input_corrupt` and `bad_data` for an object that cannot be read
 */
export async function* newestRecords(
  objects: BucketStorage,
  options: ReadArchiveOptions,
): AsyncGenerator<ExportedLines> {
  const identify = createIdentifier(options.hash)
  for (const { table } of CONTRACT.kinds)
    for await (const group of groupByCommit(objects, table, options.commit)) {
      const read = (): AsyncGenerator<RecordLines> => identified(objects, group, { identify, signal: options.signal })
      yield* linesAt(read, await lastOccurrences(read))
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

type Reading = { readonly identify: ReturnType<typeof createIdentifier>; readonly signal: AbortSignal }

async function* identified(
  objects: BucketStorage,
  group: readonly ArchiveObject[],
  { identify, signal }: Reading,
): AsyncGenerator<RecordLines> {
  for (const { key } of group) {
    const source = `${key} in ${objects.description}`
    for await (const read of readObject(objects, key, source)) {
      signal.throwIfAborted()
      identify(read.batch)
      yield read
    }
  }
}

async function* readObject(objects: BucketStorage, key: string, source: string): AsyncGenerator<RecordLines> {
  const body = await objects.get(key)
  if (body === undefined) throw new IngestError('input_changed', `${source} was removed while the archive was read`)
  if (body.length === 0) throw new IngestError('bad_data', `${source} is empty, so its records are lost`)
  const packed = async function* (): AsyncGenerator<Uint8Array> {
    yield body
  }
  const reader = await decompress(
    chunkReader(packed(), () => Promise.resolve()),
    source,
  )
  const onRejection = ({ line, message }: { line: number; message: string }): IngestError =>
    new IngestError('bad_data', `${source}, line ${line}: ${message}`)
  yield* recordLines(lineBlocks(reader), { source, onRejection })
}

/** Maps each measurement to the position of its last record, counted from 1. */
async function lastOccurrences(read: () => AsyncIterable<RecordLines>): Promise<IdTable> {
  const last = new IdTable()
  let before = 0
  for await (const { batch } of read()) {
    const positions = Uint32Array.from({ length: batch.count }, (_, row) => before + row + 1)
    last.putAll(batch.ids.subarray(0, batch.count), positions, () => undefined)
    before += batch.count
  }
  return last
}

async function* linesAt(read: () => AsyncIterable<RecordLines>, last: IdTable): AsyncGenerator<ExportedLines> {
  let before = 0
  for await (const { batch, lineOf } of read()) {
    const newest: Buffer[] = []
    for (let row = 0; row < batch.count; row++)
      if (last.get(batch.ids[row]!) === before + row + 1) newest.push(lineOf(row))
    before += batch.count
    if (newest.length > 0) yield { records: newest.length, bytes: Buffer.concat(newest) }
  }
}
