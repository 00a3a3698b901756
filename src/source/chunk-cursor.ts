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
