/** Bytes that are written once and read several times: a little in memory, more in a temporary file. */

import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { IngestError, messageOf } from '../errors.js'

const MAX_MEMORY_BYTES = 1024 * 1024
const READ_BYTES = 256 * 1024

export class ByteSpool {
  #parts: Buffer[] = []
  #memoryBytes = 0
  #fileBytes = 0
  #descriptor: number | undefined

  /**
   * @param what the content in words, for messages
   * @param maxMemoryBytes more than this goes to a temporary file
   */
  constructor(
    private readonly what = 'the rejected lines',
    private readonly maxMemoryBytes = MAX_MEMORY_BYTES,
  ) {}

  /** Writes synchronously, because callers report lines by synchronous calls. @throws {IngestError} `storage_failed` */
  append(bytes: Uint8Array | string): void {
    const copy = Buffer.from(bytes)
    this.#parts.push(copy)
    this.#memoryBytes += copy.length
    if (this.#memoryBytes > this.maxMemoryBytes) this.#flush()
  }

  /** The content from its start. Every chunk is a copy. */
  *chunks(): Generator<Buffer> {
    for (let at = 0; at < this.#fileBytes;) {
      const chunk = Buffer.allocUnsafe(Math.min(READ_BYTES, this.#fileBytes - at))
      const count = readSync(this.#descriptor!, chunk, 0, chunk.length, at)
      at += count
      yield chunk.subarray(0, count)
    }
    yield* this.#parts
  }

  /** Frees the temporary file. The content cannot be read any more. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }

  #flush(): void {
    try {
      this.#descriptor ??= openUnnamed()
      for (const part of this.#parts)
        for (let rest = part; rest.length > 0;) {
          const count = writeSync(this.#descriptor, rest, 0, rest.length, this.#fileBytes)
          this.#fileBytes += count
          rest = rest.subarray(count)
        }
    } catch (cause) {
      const message = `cannot keep ${this.what} in ${tmpdir()}: ${messageOf(cause)}`
      throw new IngestError('storage_failed', message, { cause, hint: 'set TMPDIR to a folder with room' })
    }
    this.#parts = []
    this.#memoryBytes = 0
  }
}

/** Opens a temporary file and deletes its name, so that the system frees the file when the process ends for any reason. */
function openUnnamed(): number {
  const folder = mkdtempSync(join(tmpdir(), 'vortex-ingest-'))
  try {
    return openSync(join(folder, 'rejects'), 'wx+', 0o600)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
