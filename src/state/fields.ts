/** Typed access to the fields of a JSON object that was read from state. */

import { IngestError } from '../errors.js'

export class Fields {
  readonly #fields: Readonly<Record<string, unknown>>

  /**
   * @param where the document's key and storage, for messages
   * @throws {IngestError} `state_corrupt` when `value` is not an object. All methods throw it for a field of another type.
   */
  constructor(
    value: unknown,
    readonly where: string,
  ) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw corruptStateError(where, 'it is not an object')
    this.#fields = value as Readonly<Record<string, unknown>>
  }

  get names(): readonly string[] {
    return Object.keys(this.#fields)
  }

  text(name: string): string {
    const value = this.#own(name)
    if (typeof value !== 'string') throw this.#wrong(name, 'text')
    return value
  }

  flag(name: string): boolean {
    const value = this.#own(name)
    if (typeof value !== 'boolean') throw this.#wrong(name, 'true or false')
    return value
  }

  /** A string that is one of `words`. */
  word<T extends string>(name: string, words: readonly T[]): T {
    const found = words.find(word => word === this.#own(name))
    if (found === undefined) throw this.#wrong(name, words.join(' or '))
    return found
  }

  /** An integer, 0 or greater. */
  count(name: string): number {
    const value = this.#own(name)
    if (!Number.isSafeInteger(value) || (value as number) < 0) throw this.#wrong(name, 'a whole number')
    return value as number
  }

  /** A finite number, 0 or greater. */
  number(name: string): number {
    const value = this.#own(name)
    if (typeof value !== 'number' || !(value >= 0) || value === Infinity) throw this.#wrong(name, 'a number')
    return value
  }

  /** Undefined when the field is absent or null. */
  optional<T>(name: string, read: (name: string) => T): T | undefined {
    const value = this.#own(name)
    return value === undefined || value === null ? undefined : read(name)
  }

  fields(name: string): Fields {
    return new Fields(this.#own(name), `${this.where}, ${name}`)
  }

  list<T>(name: string, read: (fields: Fields) => T): readonly T[] {
    const value = this.#own(name)
    if (!Array.isArray(value)) throw this.#wrong(name, 'a list')
    return value.map((item, index) => read(new Fields(item, `${this.where}, ${name}/${index}`)))
  }

  /** A list of strings. */
  texts(name: string): readonly string[] {
    const value = this.#own(name)
    if (!Array.isArray(value) || !value.every(item => typeof item === 'string'))
      throw this.#wrong(name, 'a list of texts')
    return value
  }

  /** An object whose values are all read by `read`. */
  map<T>(name: string, read: (fields: Fields) => T): ReadonlyMap<string, T> {
    const members = this.fields(name)
    return new Map(members.names.map(key => [key, read(members.fields(key))]))
  }

  /** An object whose values are all integers, 0 or greater. */
  counts(name: string): ReadonlyMap<string, number> {
    const members = this.fields(name)
    return new Map(members.names.map(key => [key, members.count(key)]))
  }

  #own(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined
  }

  #wrong(name: string, what: string): Error {
    return corruptStateError(this.where, `${name} must be ${what}`)
  }
}

export const STATE_VERSION = 1

/**
 * The error for a damaged object. The object is neither skipped nor repaired: an operator decides.
 * @param where the object's key and storage
 */
export function corruptStateError(where: string, what: string, cause?: unknown): IngestError {
  const hint = 'see "When state is damaged" in docs/state.md; the object was not changed'
  return new IngestError('state_corrupt', `${where} is damaged: ${what}`, { cause, hint })
}

/** @throws {IngestError} `state_version` */
export function assertStateVersion(version: number, where: string): void {
  if (version === STATE_VERSION) return
  const hint = 'use the vortex-ingest that wrote it, or a newer one; the object was not changed'
  throw new IngestError(
    'state_version',
    `${where} has version ${version}; this program supports version ${STATE_VERSION}`,
    {
      hint,
    },
  )
}
