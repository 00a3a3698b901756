/** Progress of reading the inputs, reported per block in bytes before decompression. */

import type { ByteReader } from './byte-reader.js'

export interface ReadWatch {
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
