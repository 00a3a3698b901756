/** Who is told how far inputs are read: of blocks, never of lines, and of bytes as they lie there, before unpacking. */

import type { ByteReader } from './byte-reader.js'

export interface ReadWatch {
  /** One more source. @param bytes undefined where nobody knows how many will come */
  expect(source: string, bytes: number | undefined): void
  /** A pass over a source begins. @returns told of each block */
  begin(source: string): (bytes: number) => void
}

export function watched(reader: ByteReader, source: string, watch: ReadWatch | undefined): ByteReader {
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
