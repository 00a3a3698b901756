/** Takes a request's body in: bounded, unpacked, and in a file where it is large. */

import type { FileHandle } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { gunzip } from '../../source/gunzip.js'
import { namelessFile } from '../../source/spool.js'
import { withRoom } from './room.js'

export type ReceiveOptions = {
  readonly gzip: boolean
  /** Of the body as it is sent, and of what it unpacks to. */
  readonly maxBytes: number
  /** The client is cut off when it sends nothing for so long. */
  readonly stallMs: number
}

export type Received =
  | { readonly ok: true; readonly body: Body }
  | { readonly ok: false; readonly reason: 'too_large' | 'broken_gzip' | 'gone' | 'stalled' }

/** Larger bodies wait for their turn on disk, so that many clients at once cost no memory. */
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

/** The bytes that a client sends, as long as they are not too many or too slow. */
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
      // The request must outlive its body: it is answered.
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

/** A body that was received whole; its memory or file is its owner's to release. */
export class Body {
  length = 0
  /** Whether it could not be kept. */
  failed = false
  #chunks: Uint8Array[] = []
  #file: FileHandle | undefined

  /** Whether it waits in a file. */
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

  /** All of it in one buffer, as the walk wants it. */
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
