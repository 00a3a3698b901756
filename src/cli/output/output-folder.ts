/** Writes files to a new folder that appears only when all of them are complete. */

import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { IngestError, messageOf, systemCodeOf } from '../../errors.js'

/** Writes to a hidden folder beside the folder, and renames it at the end. */
export class OutputFolder {
  readonly #path: string
  readonly #unfinished: string
  readonly #descriptors: number[] = []

  /**
   * @param what the content, in messages: `the records`
   * @throws {IngestError} `already_exists` unless the folder is missing or empty, `config_invalid` when it cannot be created
   */
  constructor(
    path: string,
    private readonly what: string,
  ) {
    this.#path = resolve(path)
    this.#unfinished = join(dirname(this.#path), `.${basename(this.#path)}.${process.pid}.tmp`)
    try {
      if (!isMissingOrEmpty(this.#path)) throw this.#existsError()
      rmSync(this.#unfinished, { recursive: true, force: true })
      mkdirSync(this.#unfinished)
    } catch (cause) {
      if (cause instanceof IngestError) throw cause
      const hint = 'name a new folder in a folder that is there'
      throw new IngestError('config_invalid', this.#failure(cause), { cause, hint })
    }
  }

  create(name: string): { write(bytes: Uint8Array): void } {
    const descriptor = this.#write(() => openSync(join(this.#unfinished, name), 'wx'))
    this.#descriptors.push(descriptor)
    return {
      write: bytes =>
        this.#write(() => {
          for (let rest = bytes; rest.length > 0;) rest = rest.subarray(writeSync(descriptor, rest, 0, rest.length))
        }),
    }
  }

  publish(): void {
    this.#write(() => {
      for (const descriptor of this.#descriptors.splice(0)) {
        fsyncSync(descriptor)
        closeSync(descriptor)
      }
      renameSync(this.#unfinished, this.#path)
    })
  }

  /** Deletes the unfinished folder. */
  discard(): void {
    for (const descriptor of this.#descriptors.splice(0)) closeSync(descriptor)
    rmSync(this.#unfinished, { recursive: true, force: true })
  }

  #write<T>(step: () => T): T {
    try {
      return step()
    } catch (cause) {
      if (['ENOTEMPTY', 'EEXIST'].includes(systemCodeOf(cause) ?? '')) throw this.#existsError()
      throw new IngestError('storage_failed', this.#failure(cause), { cause })
    }
  }

  #existsError(): IngestError {
    const hint = 'name a new folder, or move that one away'
    return new IngestError('already_exists', `${this.#path} exists and is not replaced`, { hint })
  }

  #failure(cause: unknown): string {
    return `cannot write ${this.what} ${this.#path}: ${messageOf(cause)}`
  }
}

/** @throws {Error} for a file */
function isMissingOrEmpty(path: string): boolean {
  try {
    return readdirSync(path).length === 0
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return true
    throw error
  }
}
