/** Splits a zstd frame into its header, blocks and checksum. */

/** Limit of the zstd command-line tool without extra options. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024

const CHECKSUM_FLAG = 0b100
const SINGLE_SEGMENT_FLAG = 0b10_0000
const DICTIONARY_ID_BYTES = [0, 1, 2, 4]
const CONTENT_SIZE_BYTES = [0, 2, 4, 8]
const REPEATED_BYTE_BLOCK = 1

export function startsFrame(magic: Buffer): boolean {
  return magic.readUInt32LE() === 0xfd2fb528
}

/**
 * Whether a skippable frame starts here, which holds application data. The low four bits of its magic number are
 * arbitrary.
 */
export function startsSkippable(magic: Buffer): boolean {
  return (magic.readUInt32LE() & ~0xf) === 0x184d2a50
}

/**
 * Yields the pieces of a frame: magic number and header, then each block, then the checksum, which is empty if the
 * frame has none.
 * @throws when the input ends within the frame
 * @see RFC 8878 section 3.1.1
 */
export async function* framePieces(input: ChunkCursor, magic: Buffer): AsyncGenerator<Buffer> {
  const descriptor = await input.take(1)
  const header = await input.take(headerBytes(descriptor[0]!))
  if (windowBytes(descriptor[0]!, header) > MAX_WINDOW_BYTES) throw new Error('it needs a window of more than 128 MiB')
  yield Buffer.concat([magic, descriptor, header])
  for (let last = false; !last;) {
    const head = await input.take(3)
    const bits = head.readUIntLE(0, 3)
    const isRepeated = ((bits >> 1) & 0b11) === REPEATED_BYTE_BLOCK
    last = (bits & 1) === 1
    yield Buffer.concat([head, await input.take(isRepeated ? 1 : bits >> 3)])
  }
  yield input.take(hasChecksum(descriptor[0]!) ? 4 : 0)
}

export function hasChecksum(descriptor: number): boolean {
  return (descriptor & CHECKSUM_FLAG) !== 0
}

/** Number of header bytes after the descriptor: window, dictionary id and content size. */
function headerBytes(descriptor: number): number {
  const window = isSingleSegment(descriptor) ? 0 : 1
  return window + DICTIONARY_ID_BYTES[descriptor & 0b11]! + contentSizeBytes(descriptor)
}

function contentSizeBytes(descriptor: number): number {
  const flag = descriptor >> 6
  return flag === 0 && isSingleSegment(descriptor) ? 1 : CONTENT_SIZE_BYTES[flag]!
}

function windowBytes(descriptor: number, header: Buffer): number {
  if (!isSingleSegment(descriptor)) return 2 ** (10 + (header[0]! >> 3)) * (1 + (header[0]! & 0b111) / 8)
  const size = header.subarray(header.length - contentSizeBytes(descriptor))
  // readUIntLE reads at most six bytes, so the upper two are added separately. If they are not zero, the size exceeds
  // every limit anyway.
  return size.length === 8 ? size.readUIntLE(0, 6) + size.readUInt16LE(6) * 2 ** 48 : size.readUIntLE(0, size.length)
}

function isSingleSegment(descriptor: number): boolean {
  return (descriptor & SINGLE_SEGMENT_FLAG) !== 0
}

/** Reads exact numbers of bytes from a stream of chunks of any size. */
export class ChunkCursor {
  readonly #chunks: AsyncIterator<Uint8Array>
  #chunk: Uint8Array = new Uint8Array(0)

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  async hasMore(): Promise<boolean> {
    while (this.#chunk.length === 0) {
      const next = await this.#chunks.next()
      if (next.done === true) return false
      this.#chunk = next.value
    }
    return true
  }

  /** @throws when fewer bytes are left */
  async take(count: number): Promise<Buffer> {
    const taken = Buffer.alloc(count)
    let filled = 0
    await this.#each(count, bytes => {
      taken.set(bytes, filled)
      filled += bytes.length
    })
    return taken
  }

  /** @throws when fewer bytes are left */
  async skip(count: number): Promise<void> {
    await this.#each(count, () => undefined)
  }

  async #each(count: number, use: (bytes: Uint8Array) => void): Promise<void> {
    for (let left = count; left > 0;) {
      if (!(await this.hasMore())) throw new Error('unexpected end of file')
      const bytes = this.#chunk.subarray(0, left)
      this.#chunk = this.#chunk.subarray(bytes.length)
      left -= bytes.length
      use(bytes)
    }
  }
}
