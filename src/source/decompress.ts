/** Decompresses gzip and zstd input. The format is detected from the first bytes, not from the file name. */

import { IngestError, messageOf } from '../errors.js'
import { chunkReader, readBeginning, replay, type ByteReader } from './byte-reader.js'

const CHUNK_BYTES = 256 * 1024
const HEAD_BYTES = 4

type Unpack = (packed: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array>
type Format = 'gzip' | 'zstd'

/** Decompressors are loaded on demand, because most inputs are not compressed. */
const UNPACKERS: Readonly<Record<Format, () => Promise<Unpack>>> = {
  gzip: async () => (await import('./gunzip.js')).gunzip,
  zstd: async () => (await import('./unzstd.js')).unzstd,
}

/**
 * Returns a reader of the decompressed bytes, or of the same bytes when they are not compressed.
 * @param name the name of the source in errors
 */
export async function decompress(reader: ByteReader, name: string): Promise<ByteReader> {
  const head = await readBeginning(reader, HEAD_BYTES)
  const whole = replay(head, reader)
  const format = detectFormat(head)
  if (format === undefined) return whole
  const unpack = await UNPACKERS[format]()
  return chunkReader(orCorrupt(unpack(chunks(whole)), { name, format }), () => whole.close())
}

function detectFormat(head: Buffer): Format | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  const magic = head.length < HEAD_BYTES ? 0 : head.readUInt32LE()
  // A zstd file may begin with a skippable frame, whose magic number has four arbitrary low bits.
  return magic === 0xfd2fb528 || (magic & ~0xf) === 0x184d2a50 ? 'zstd' : undefined
}

type Packed = { readonly name: string; readonly format: Format }

async function* orCorrupt(chunks: AsyncIterable<Uint8Array>, { name, format }: Packed): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
  } catch (cause) {
    if (cause instanceof IngestError) throw cause
    const hint = 'the file was cut or damaged on its way: write it again'
    throw new IngestError('input_corrupt', `${name}: ${format} data is damaged or cut short (${messageOf(cause)})`, {
      cause,
      hint,
    })
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
