/** Tells gzip and zstd by their first bytes, whatever a file is called, and reads through them. */

import { Readable } from 'node:stream'
import * as zlib from 'node:zlib'
import { IngestError, messageOf } from '../errors.js'
import { chunkReader, type ByteReader } from './byte-reader.js'

const GZIP = Buffer.from([0x1f, 0x8b])
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])
const CHUNK_BYTES = 256 * 1024

/** @param name what an error calls the source */
export async function decompressed(reader: ByteReader, name: string): Promise<ByteReader> {
  const head = await readHead(reader)
  const whole = replay(head, reader)
  if (startsWith(head, GZIP)) return through(whole, zlib.createGunzip({ chunkSize: CHUNK_BYTES }), { name, format: 'gzip' })
  if (startsWith(head, ZSTD)) return await throughZstd(whole, name)
  return whole
}

type Packed = { readonly name: string; readonly format: string }

async function throughZstd(reader: ByteReader, name: string): Promise<ByteReader> {
  const packed = { name, format: 'zstd' }
  const create = (zlib as { createZstdDecompress?: (options: object) => NodeJS.ReadWriteStream }).createZstdDecompress
  // Node has its own since 22.15.
  if (create !== undefined) return through(reader, create({ chunkSize: CHUNK_BYTES }), packed)
  const { unzstd } = await import('./unzstd.js')
  return chunkReader(orCorrupt(unzstd(chunks(reader)), packed), () => reader.close())
}

function through(reader: ByteReader, stream: NodeJS.ReadWriteStream, packed: Packed): ByteReader {
  const source = Readable.from(chunks(reader), { objectMode: false })
  source.on('error', error => (stream as unknown as Readable).destroy(error))
  source.pipe(stream)
  const close = async (): Promise<void> => {
    source.destroy()
    ;(stream as unknown as Readable).destroy()
    await reader.close()
  }
  return chunkReader(orCorrupt(stream as AsyncIterable<Uint8Array>, packed), close)
}

async function* orCorrupt(chunks: AsyncIterable<Uint8Array>, { name, format }: Packed): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
  } catch (cause) {
    if (cause instanceof IngestError) throw cause
    const hint = 'the file was cut or damaged on its way: write it again'
    throw new IngestError('input_corrupt', `${name}: ${format} data is damaged or cut short (${messageOf(cause)})`, { cause, hint })
  }
}

async function* chunks(reader: ByteReader): AsyncGenerator<Buffer> {
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    const count = await reader.read(chunk, 0)
    if (count === 0) return
    yield chunk.subarray(0, count)
  }
}

async function readHead(reader: ByteReader): Promise<Buffer> {
  const head = Buffer.alloc(ZSTD.length)
  let filled = 0
  while (filled < head.length) {
    const count = await reader.read(head, filled)
    if (count === 0) break
    filled += count
  }
  return head.subarray(0, filled)
}

/** A reader that gives `head` before what `reader` goes on with. */
function replay(head: Buffer, reader: ByteReader): ByteReader {
  let at = 0
  return {
    async read(into, offset) {
      if (at === head.length) return reader.read(into, offset)
      const count = head.copy(into, offset, at)
      at += count
      return count
    },
    close: () => reader.close(),
  }
}

function startsWith(bytes: Buffer, head: Buffer): boolean {
  return bytes.subarray(0, head.length).equals(head)
}
