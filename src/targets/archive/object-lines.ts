/** Reads the lines of an object of an archive, in either format. */

import { CONTRACT } from '../../contract/kinds.js'
import { IngestError } from '../../errors.js'
import { chunkReader, type ByteReader } from '../../source/byte-reader.js'
import { decompress } from '../../source/decompress.js'
import { gzipComment } from './gzip-comment.js'
import { parseObjectComment, type ObjectComment } from './object-comment.js'
import type { ArchiveObject } from './object-key.js'

export type ObjectLines = {
  /** Undefined for an object of an earlier version. */
  readonly comment: ObjectComment | undefined
  readonly reader: ByteReader
}

/**
 * @param source names the object in errors
 * @throws {IngestError} `input_corrupt` and `bad_data` for a damaged object; the reader throws them, too
 */
export async function openObjectLines(
  body: Buffer,
  { key }: Pick<ArchiveObject, 'key'>,
  source: string,
): Promise<ObjectLines> {
  if (body.length === 0) throw new IngestError('bad_data', `${source} is empty, so its records are lost`)
  const { text, chunks } = await openBody(body, key, source)
  return {
    comment: text === undefined ? undefined : readComment(text, source),
    reader: await openReader(chunks, source),
  }
}

type Opened = { readonly text: string | undefined; readonly chunks: AsyncGenerator<Uint8Array> }

async function openBody(body: Buffer, key: string, source: string): Promise<Opened> {
  const kind = CONTRACT.kinds.find(({ table }) => key.startsWith(`${table}/`))
  if (!key.endsWith('.parquet') || kind === undefined) {
    if (body[0] !== 0x1f || body[1] !== 0x8b) throw new IngestError('bad_data', `${source} is no gzip file`)
    return { text: gzipComment(body), chunks: single(body) }
  }
  const { comment, lines } = (await import('./parquet-object.js')).readParquetObject(body, kind, source)
  return { text: comment, chunks: lines() }
}

async function* single(body: Buffer): AsyncGenerator<Uint8Array> {
  yield body
}

function openReader(chunks: AsyncGenerator<Uint8Array>, source: string): Promise<ByteReader> {
  return decompress(
    chunkReader(chunks, () => Promise.resolve()),
    source,
  )
}

function readComment(text: string, source: string): ObjectComment {
  const comment = parseObjectComment(text)
  if (comment !== undefined) return comment
  const hint = 'restore the object from a copy: its comment says which records are newer'
  throw new IngestError('bad_data', `${source}: its comment is not a generation`, { hint })
}
