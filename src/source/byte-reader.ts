/** A minimal interface for byte streams: the caller provides the buffer. */

import type { FileHandle } from 'node:fs/promises'

export interface ByteReader {
  /**
   * Reads at least one byte into `into`, starting at `offset`.
   * @returns the number of bytes read; 0 at the end of the stream
   */
  read(into: Buffer, offset: number): Promise<number>
  /** Skips the next bytes without reading them. Only on readers that can seek. */
  skip?(bytes: number): void
  close(): Promise<void>
}

/** Reads a file from its first byte, independently of other readers that share the handle. */
export function fileReader(file: FileHandle, close: () => Promise<void>): ByteReader {
  let position = 0
  return {
    async read(into, offset) {
      const { bytesRead } = await file.read(into, offset, into.length - offset, position)
      position += bytesRead
      return bytesRead
    },
    skip: bytes => void (position += bytes),
    close,
  }
}

/** Reads the chunks of an async iterable. */
export function chunkReader(chunks: AsyncIterable<Uint8Array>, close: () => Promise<void>): ByteReader {
  const iterator = chunks[Symbol.asyncIterator]()
  let chunk: Uint8Array = new Uint8Array(0)
  return {
    async read(into, offset) {
      while (chunk.length === 0) {
        const next = await iterator.next()
        if (next.done === true) return 0
        chunk = next.value
      }
      const taken = Math.min(chunk.length, into.length - offset)
      into.set(chunk.subarray(0, taken), offset)
      chunk = chunk.subarray(taken)
      return taken
    },
    async close() {
      await iterator.return?.()
      await close()
    },
  }
}

/** A reader of the next `bytes` bytes of `reader`, after skipping `skipped` bytes. */
export async function sliceReader(
  reader: ByteReader,
  { skipped, bytes }: { skipped: number; bytes: number },
): Promise<ByteReader> {
  await passOver(reader, skipped)
  let left = bytes
  return {
    async read(into, offset) {
      if (left === 0) return 0
      const count = await reader.read(into.subarray(0, Math.min(into.length, offset + left)), offset)
      left -= count
      return count
    },
    close: () => reader.close(),
  }
}

/** Reads the first `bytes` bytes, or fewer if there are no more. */
export async function readBeginning(reader: ByteReader, bytes: number): Promise<Buffer> {
  const head = Buffer.alloc(bytes)
  let filled = 0
  while (filled < head.length) {
    const count = await reader.read(head, filled)
    if (count === 0) break
    filled += count
  }
  return head.subarray(0, filled)
}

/** A reader of `head`, followed by the bytes of `reader`. */
export function replay(head: Buffer, reader: ByteReader): ByteReader {
  let at = 0
  return {
    async read(into, offset) {
      if (at === head.length) return reader.read(into, offset)
      const count = head.copy(into, offset, at)
      at += count
      // Returning the head alone would make a block of its first lines.
      return count + (await reader.read(into, offset + count))
    },
    ...(reader.skip !== undefined && {
      skip(bytes: number) {
        const ofHead = Math.min(bytes, head.length - at)
        at += ofHead
        reader.skip?.(bytes - ofHead)
      },
    }),
    close: () => reader.close(),
  }
}

const DISCARD_BYTES = 256 * 1024

async function passOver(reader: ByteReader, bytes: number): Promise<void> {
  if (reader.skip !== undefined) return reader.skip(bytes)
  const discard = Buffer.allocUnsafe(Math.min(bytes, DISCARD_BYTES))
  for (let left = bytes; left > 0;) {
    const count = await reader.read(discard.subarray(0, Math.min(discard.length, left)), 0)
    if (count === 0) return
    left -= count
  }
}

/** Receives the progress of reading the inputs, per block in bytes before decompression. */
export interface ReadProgress {
  /**
   * Announces a source.
   * @param bytes size of the source; undefined when it is unknown
   */
  expect(source: string, bytes: number | undefined): void
  /**
   * Announces a pass over a source.
   * @returns a function to call with the number of bytes of each block
   */
  begin(source: string): (bytes: number) => void
}

export function reportReads(reader: ByteReader, source: string, watch: ReadProgress | undefined): ByteReader {
  if (watch === undefined) return reader
  const read = watch.begin(source)
  return {
    async read(into, offset) {
      const count = await reader.read(into, offset)
      read(count)
      return count
    },
    ...(reader.skip !== undefined && {
      skip(bytes: number) {
        reader.skip?.(bytes)
        read(bytes)
      },
    }),
    close: () => reader.close(),
  }
}
