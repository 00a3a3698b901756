/** Reads JSON documents of other tools, with exact numbers and messages that name the place of a mistake. */

import { isUtf8 } from 'node:buffer'
import { isExactObject, type ExactValue } from '../contract/exact-value.js'
import { pointerTo, quote } from '../contract/problem.js'
import { IngestError } from '../errors.js'
import type { ByteReader } from '../source/byte-reader.js'
import { MAX_BODY_DEPTH, parseExact } from '../source/exact-json.js'
import { parseDecimal, type Ratio } from './duration.js'

/** A document is read whole and takes about eight times its size in memory, so its size is limited. */
export const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024

const CHUNK_BYTES = 1024 * 1024

/**
 * Reads a JSON document and closes the reader.
 * @throws {IngestError} `bad_data` when it is too large or no JSON
 */
export async function readToolJson(name: string, reader: ByteReader, writtenBy: string): Promise<JsonPlace> {
  const bytes = await readWhole(name, reader)
  const hint = `convert reads what this command writes: ${writtenBy}`
  if (!isUtf8(bytes)) throw new IngestError('bad_data', `${name} is not valid UTF-8`, { hint })
  return parseToolJson(name, bytes.toString('utf8'), hint)
}

/** @throws {IngestError} `bad_data` when the text is no JSON */
export function parseToolJson(name: string, text: string, hint: string): JsonPlace {
  const parsed = parseExact(text, { maxDepth: MAX_BODY_DEPTH, areRealsText: true, areNonNumbersNull: true })
  if (!parsed.ok) throw new IngestError('bad_data', `${name} ${parsed.message}`, { hint })
  return new JsonPlace(parsed.value, { name, pointer: '', hint })
}

async function readWhole(name: string, reader: ByteReader): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
      const count = await reader.read(chunk, 0)
      if (count === 0) return Buffer.concat(chunks, size)
      chunks.push(chunk.subarray(0, count))
      size += count
      if (size > MAX_DOCUMENT_BYTES) throw tooLarge(name)
    }
  } finally {
    await reader.close()
  }
}

function tooLarge(name: string): IngestError {
  const limit = `${MAX_DOCUMENT_BYTES / 1024 / 1024} MiB`
  const hint = 'write the benchmarks to several files'
  return new IngestError('bad_data', `${name} is larger than ${limit}, the limit for a JSON document`, { hint })
}

type Where = { readonly name: string; readonly pointer: string; readonly hint: string }

/** A value in a document, with its place. */
export class JsonPlace {
  constructor(
    private readonly value: ExactValue,
    private readonly where: Where,
  ) {}

  /** The file and the JSON pointer, for messages. */
  get place(): string {
    return `${this.where.name}: ${this.where.pointer === '' ? 'the document' : this.where.pointer}`
  }

  /** A member of an object; undefined when it is absent or null. */
  find(key: string): JsonPlace | undefined {
    const found = isExactObject(this.value) ? this.value[key] : undefined
    return found === undefined || found === null ? undefined : this.#at(key, found)
  }

  get(key: string): JsonPlace {
    const found = this.find(key)
    if (found === undefined) throw this.error(`has no ${quote(key)}`)
    return found
  }

  elements(): readonly JsonPlace[] {
    return this.#array().map((value, index) => this.#at(String(index), value))
  }

  text(): string {
    if (typeof this.value !== 'string') throw this.error('must be text')
    return this.value
  }

  /** Whether the value is a text, a number or a truth value with this text. */
  is(text: string): boolean {
    return typeof this.value !== 'object' && String(this.value) === text
  }

  ratio(): Ratio {
    return this.#ratio(this.value) ?? this.#noNumber('')
  }

  /** The numbers of an array, without an object for each. */
  ratios(): readonly Ratio[] {
    return this.#array().map((value, index) => this.#ratio(value) ?? this.#noNumber(`/${index}`))
  }

  /** All texts, numbers and truth values inside an object by the names of their members, joined by dots. Arrays are left out. */
  scalars(): ReadonlyMap<string, string> {
    return new Map(scalarsIn(this.value, ''))
  }

  error(message: string): IngestError {
    return new IngestError('bad_data', `${this.place} ${message}`, { hint: this.where.hint })
  }

  #at(key: string, value: ExactValue): JsonPlace {
    return new JsonPlace(value, { ...this.where, pointer: this.where.pointer + pointerTo(key) })
  }

  #array(): readonly ExactValue[] {
    if (!Array.isArray(this.value)) throw this.error('must be an array')
    return this.value as readonly ExactValue[]
  }

  #ratio(value: ExactValue): Ratio | undefined {
    return typeof value === 'bigint' || typeof value === 'string' ? parseDecimal(String(value)) : undefined
  }

  #noNumber(pointer: string): never {
    const { name, hint } = this.where
    const place = `${name}: ${this.where.pointer}${pointer}`
    throw new IngestError('bad_data', `${place} must be a number that is not negative`, { hint })
  }
}

function* scalarsIn(value: ExactValue, path: string): Generator<readonly [string, string]> {
  if (isExactObject(value))
    for (const [key, member] of Object.entries(value)) yield* scalarsIn(member, path === '' ? key : `${path}.${key}`)
  else if (typeof value !== 'object') yield [path, String(value)]
}
