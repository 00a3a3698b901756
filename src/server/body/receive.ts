/** Receives a request body: limits its size, decompresses gzip and stores large bodies in a temporary file. */

import type { FileHandle } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { gunzip } from '../../source/gunzip.js'
import { namelessFile } from '../../source/spool.js'
import { withRoom } from './room.js'

export type ReceiveOptions = {
  readonly gzip: boolean
  /** Limit for the body as sent and, separately, for the body after decompression. */
  readonly maxBytes: number
  /** The connection is closed when the client sends nothing for this long. */
  readonly stallMs: number
}

export type Received =
  | { readonly ok: true; readonly body: Body }
  | { readonly ok: false; readonly reason: 'too_large' | 'broken_gzip' | 'gone' | 'stalled' }

/** A larger body is stored on disk until it is processed, so that many concurrent clients do not exhaust the memory. */
const IN_MEMORY_BYTES = 1024 * 1024

export async function receive(request: IncomingMessage, options: ReceiveOptions): Promise<Received> {
  const body = new Body()
  const stream = new Incoming(request, options)
  try {
    const chunks = stream.chunks()
    for await (const chunk of options.gzip ? gunzip(chunks) : chunks) {
      if (body.length + chunk.length > options.maxBytes) return await refuse(body, 'too_large')
      await body.add(chunk)
    }
    return stream.tooLarge ? await refuse(body, 'too_large') : { ok: true, body }
  } catch (error) {
    if (stream.tooLarge) return refuse(body, 'too_large')
    if (stream.stalled) return refuse(body, 'stalled')
    if (request.destroyed && !request.complete) return refuse(body, 'gone')
    if (options.gzip && !body.failed) return refuse(body, 'broken_gzip')
    await body.release()
    throw error
  }
}

async function refuse(body: Body, reason: 'too_large' | 'broken_gzip' | 'gone' | 'stalled'): Promise<Received> {
  await body.release()
  return { ok: false, reason }
}

/** The bytes that a client sends, up to the size limit and as long as no pause exceeds `stallMs`. */
class Incoming {
  tooLarge = false
  stalled = false

  constructor(
    private readonly request: IncomingMessage,
    private readonly options: ReceiveOptions,
  ) {}

  async *chunks(): AsyncGenerator<Uint8Array> {
    const { request, options } = this
    const cut = (): void => {
      this.stalled = true
      request.destroy()
    }
    const timer = setTimeout(cut, options.stallMs)
    let sent = 0
    try {
      // Leaving the loop early must not destroy the request, because its response is still to be sent.
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        timer.refresh()
        sent += chunk.length
        this.tooLarge = sent > options.maxBytes
        if (this.tooLarge) return
        yield chunk
      }
    } finally {
      clearTimeout(timer)
    }
  }
}

/** A completely received body. The owner must call `release` to free its memory or file. */
export class Body {
  length = 0
  /** Whether storing the body in a file failed. */
  failed = false
  #chunks: Uint8Array[] = []
  #file: FileHandle | undefined

  /** Whether the body is stored in a file. */
  get large(): boolean {
    return this.#file !== undefined
  }

  async add(chunk: Uint8Array): Promise<void> {
    this.length += chunk.length
    if (this.#file === undefined) {
      this.#chunks.push(chunk)
      if (this.length > IN_MEMORY_BYTES) await this.#spill()
    } else await this.#keep(this.#file, chunk)
  }

  /** The body in one buffer, followed by the line feed that the envelope scanner needs (see `withRoom`). */
  async bytes(): Promise<Buffer> {
    const whole = withRoom(this.length)
    let at = 0
    for (const chunk of this.#chunks) {
      whole.set(chunk, at)
      at += chunk.length
    }
    while (this.#file !== undefined && at < this.length) {
      const { bytesRead } = await this.#file.read(whole, at, this.length - at, at)
      if (bytesRead === 0) throw new Error('the file of a body is shorter than the body')
      at += bytesRead
    }
    return whole
  }

  async release(): Promise<void> {
    this.#chunks = []
    await this.#file?.close()
    this.#file = undefined
  }

  async #spill(): Promise<void> {
    try {
      this.#file = await namelessFile()
    } catch (error) {
      this.failed = true
      throw error
    }
    for (const chunk of this.#chunks) await this.#keep(this.#file, chunk)
    this.#chunks = []
  }

  async #keep(file: FileHandle, chunk: Uint8Array): Promise<void> {
    try {
      await file.writeFile(chunk)
    } catch (error) {
      this.failed = true
      throw error
    }
  }
}
