/** Receives a request body: limits its size, decompresses gzip and stores large bodies in a temporary file. */

import type { FileHandle } from 'node:fs/promises'
import type { IncomingMessage, IncomingHttpHeaders } from 'node:http'
import { gunzip } from '../source/gunzip.js'
import { openUnnamedFile } from '../source/spool.js'
import { SLACK } from '../contract/words.js'
import { Budget } from './budget.js'

export type ReceiveOptions = {
  readonly gzip: boolean
  /** Limit for the body as sent and, separately, for the body after decompression. */
  readonly maxBytes: number
  /** The connection is closed when the client sends nothing for this long. */
  readonly stallMs: number
  readonly budgets: BodyBudgets
}

/** Bytes of all bodies that are being received or processed. */
export type BodyBudgets = {
  /** A body that does not fit is stored in a file. */
  readonly memory: Budget
  /** Memory and files together. A body that exceeds what is free is answered 503. */
  readonly total: Budget
}

type Refused = 'too_large' | 'broken_gzip' | 'gone' | 'stalled' | 'busy'

export type Received = { readonly ok: true; readonly body: Body } | { readonly ok: false; readonly reason: Refused }

/** A larger body is stored on disk until it is processed. */
const IN_MEMORY_BYTES = 1024 * 1024
/** All bodies together may take this many times the limit of one body. */
const FULL_BODIES = 16

/** @param maxBytes limit of one body */
export function bodyBudgets(maxBytes: number): BodyBudgets {
  return { memory: new Budget(64 * IN_MEMORY_BYTES), total: new Budget(FULL_BODIES * maxBytes) }
}

export async function receiveBody(request: IncomingMessage, options: ReceiveOptions): Promise<Received> {
  const body = new Body(options.budgets)
  const stream = new Incoming(request, options)
  try {
    const chunks = stream.chunks()
    for await (const chunk of options.gzip ? gunzip(chunks) : chunks) {
      if (body.length + chunk.length > options.maxBytes) return await refuse(body, 'too_large')
      if (!(await body.add(chunk))) return await refuse(body, 'busy')
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

async function refuse(body: Body, reason: Refused): Promise<Received> {
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
  /** Bytes in `#chunks`. */
  #inMemory = 0
  #file: FileHandle | undefined

  constructor(private readonly budgets: BodyBudgets) {}

  /** @returns false when all bodies together would exceed their budget */
  async add(chunk: Uint8Array): Promise<boolean> {
    if (!this.budgets.total.tryTake(chunk.length)) return false
    this.length += chunk.length
    if (this.#file === undefined && this.#fitsMemory(chunk)) {
      this.#inMemory += chunk.length
      this.#chunks.push(chunk)
    } else await this.#store((this.#file ??= await this.#spill()), chunk)
    return true
  }

  #fitsMemory({ length }: Uint8Array): boolean {
    return this.length <= IN_MEMORY_BYTES && this.budgets.memory.tryTake(length)
  }

  /** The body in one buffer, followed by the line feed that the envelope scanner needs (see `allocateScanBuffer`). */
  async bytes(): Promise<Buffer> {
    const whole = allocateScanBuffer(this.length)
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
    this.#freeMemory()
    this.budgets.total.give(this.length)
    this.length = 0
    await this.#file?.close()
    this.#file = undefined
  }

  /** Moves the body to a file. */
  async #spill(): Promise<FileHandle> {
    try {
      this.#file = await openUnnamedFile()
    } catch (error) {
      this.failed = true
      throw error
    }
    for (const chunk of this.#chunks) await this.#store(this.#file, chunk)
    this.#freeMemory()
    return this.#file
  }

  #freeMemory(): void {
    this.#chunks = []
    this.budgets.memory.give(this.#inMemory)
    this.#inMemory = 0
  }

  async #store(file: FileHandle, chunk: Uint8Array): Promise<void> {
    try {
      await file.writeFile(chunk)
    } catch (error) {
      this.failed = true
      throw error
    }
  }
}

const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset[ \t]*=[ \t]*(?:utf-8|"utf-8")[ \t]*)?;?$/i

export type BodyHeaders =
  | { readonly ok: true; readonly gzip: boolean }
  | { readonly ok: false; readonly reason: 'media_type' | 'encoding' | 'too_large' }

/** Checks the headers of an envelope before its body is read. */
export function checkBodyHeaders(headers: IncomingHttpHeaders, maxBytes: number): BodyHeaders {
  if (!JSON_TYPE.test(headers['content-type']?.trim() ?? '')) return { ok: false, reason: 'media_type' }
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding !== 'identity' && encoding !== 'gzip') return { ok: false, reason: 'encoding' }
  if (Number(headers['content-length'] ?? 0) > maxBytes) return { ok: false, reason: 'too_large' }
  return { ok: true, gzip: encoding === 'gzip' }
}

const LF = 0x0a

/**
 * Returns a buffer of `length` bytes for a body plus a final line feed, at which every scanning step stops.
 * The memory behind it is zero-filled padding, because scanning reads several bytes at a time and may read past the end.
 */
export function allocateScanBuffer(length: number): Buffer {
  const whole = Buffer.allocUnsafeSlow(length + 1 + SLACK)
  whole.fill(0, length)
  whole[length] = LF
  return whole.subarray(0, length + 1)
}
