/**
 * Copies an input that can be read only once (standard input, a pipe) to a temporary file, so that it can be read
 * again.
 */

import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { IngestError, messageOf } from '../errors.js'
import { fileReader, type ByteReader, reportReads, type ReadProgress, chunkReader } from './byte-reader.js'
import { decompress } from './decompress.js'
import { unreadableError, type Source } from './source.js'

export type SpoolOptions = { readonly signal?: AbortSignal | undefined; readonly watch?: ReadProgress | undefined }

/**
 * Copies the whole input and returns the copy as a source.
 * @throws {IngestError} `no_input` or `input_unreadable` when the input cannot be read or copied
 */
export async function spool(
  name: string,
  input: NodeJS.ReadableStream,
  { signal, watch }: SpoolOptions = {},
): Promise<Source> {
  // A failure of the input is reported by the pipeline; until then it must not count as unhandled.
  input.on('error', () => undefined)
  const file = await openUnnamedFile().catch((cause: unknown) => {
    throw copyFailedError(name, cause)
  })
  try {
    // A write stream is not used, because it keeps the handle open and `close()` would wait forever.
    const read = watch?.begin(name)
    const keep = async (chunks: AsyncIterable<string | Uint8Array>): Promise<void> => {
      for await (const chunk of chunks) {
        await file.writeFile(chunk)
        read?.(chunk.length)
      }
    }
    await pipeline(input, keep, signal === undefined ? {} : { signal })
  } catch (cause) {
    await file.close()
    if (signal?.aborted === true) throw signal.reason as Error
    throw (input as Readable).errored === cause ? unreadableError(name, cause) : copyFailedError(name, cause)
  }
  watch?.expect(name, (await file.stat()).size)
  const bytes = (): ByteReader => fileReader(file, () => Promise.resolve())
  return {
    name,
    open: () => decompress(reportReads(bytes(), name, watch), name),
    assertUnchanged: () => Promise.resolve(),
    stat: () => Promise.resolve(''),
    release: () => file.close(),
  }
}

/**
 * Opens a temporary file and deletes its name, so that the system frees the file when the process ends for any reason.
 */
export async function openUnnamedFile(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'vortex-ingest-'))
  try {
    return await open(join(folder, 'input'), 'wx+', 0o600)
  } finally {
    await rm(folder, { recursive: true })
  }
}

function copyFailedError(name: string, cause: unknown): IngestError {
  const hint = 'set TMPDIR to a folder with room'
  return new IngestError('input_unreadable', `${name}: cannot keep the input in ${tmpdir()}: ${messageOf(cause)}`, {
    cause,
    hint,
  })
}

/**
 * A source that copies its input to a temporary file while it is read for the first time. `spool` is for inputs that are
 * always read again.
 * @param input the bytes of the input; iterated once, when the source is first opened
 */
export function copyingSource(name: string, input: AsyncIterable<Uint8Array>, watch: ReadProgress | undefined): Source {
  const copy = new Copy(name)
  const firstReader = (): ByteReader => chunkReader(copy.write(input), () => Promise.resolve())
  let isOpened = false
  return {
    name,
    async open() {
      const reader = isOpened ? await copy.reader(watch) : firstReader()
      isOpened = true
      return decompress(reportReads(reader, name, watch), name)
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
    await this.#attempt(async () => void (this.#file = await openUnnamedFile()))
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
  async reader(watch: ReadProgress | undefined): Promise<ByteReader> {
    await this.#pending
    if (this.#failure !== undefined) throw copyFailedError(this.name, this.#failure)
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
