/**
 * Reads an input that can be read only once (standard input, a pipe) as it arrives and copies it to a temporary file at the
 * same time, so that it can be read again after its end. `spool` is for inputs that are always read again.
 */

import type { FileHandle } from 'node:fs/promises'
import { chunkReader, fileReader, type ByteReader } from './byte-reader.js'
import { decompressed } from './decompress.js'
import { watched, type ReadWatch } from './read-watch.js'
import type { Source } from './source.js'
import { cannotKeep, namelessFile } from './spool.js'

/**
 * A source that copies its input while it is read for the first time.
 * @param input the bytes of the input; iterated once, when the source is first opened
 */
export function keptInput(name: string, input: AsyncIterable<Uint8Array>, watch: ReadWatch | undefined): Source {
  const copy = new Copy(name)
  const firstReader = (): ByteReader => chunkReader(copy.write(input), () => Promise.resolve())
  let isOpened = false
  return {
    name,
    async open() {
      const reader = isOpened ? await copy.reader(watch) : firstReader()
      isOpened = true
      return decompressed(watched(reader, name, watch), name)
    },
    assertUnchanged: () => Promise.resolve(),
    stat: () => Promise.resolve(''),
    release: () => copy.close(),
  }
}

/** The copy of an input. A copy that cannot be written fails only the second reading, because most inputs need none. */
class Copy {
  #file: FileHandle | undefined
  #failure: unknown
  #pending: Promise<void> = Promise.resolve()
  #isComplete = false

  constructor(private readonly name: string) {}

  /** Yields the chunks as they come; the copy of a chunk is written while its reader works on it. */
  async *write(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    await this.#attempt(async () => void (this.#file = await namelessFile()))
    for await (const chunk of chunks) {
      await this.#pending
      this.#pending = this.#attempt(() => this.#file!.writeFile(chunk))
      yield chunk
    }
    this.#isComplete = true
  }

  /** Does the next step of the copy unless an earlier step failed. */
  async #attempt(step: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) return
    try {
      await step()
    } catch (error) {
      this.#failure = error
      await this.#closeFile()
    }
  }

  /** @throws {IngestError} `input_unreadable` when the copy could not be written */
  async reader(watch: ReadWatch | undefined): Promise<ByteReader> {
    await this.#pending
    if (this.#failure !== undefined) throw cannotKeep(this.name, this.#failure)
    if (this.#file === undefined || !this.#isComplete) throw new Error(`${this.name} was not read to its end`)
    watch?.expect(this.name, (await this.#file.stat()).size)
    return fileReader(this.#file, () => Promise.resolve())
  }

  async close(): Promise<void> {
    await this.#pending
    await this.#closeFile()
  }

  async #closeFile(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }
}
