/** Writes a result to a file that appears only when it is complete. */

import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { IngestError, messageOf, type ErrorCode } from '../../errors.js'
import { isSameFile } from '../../source/same-file.js'

export type OutputFileOptions = {
  /** The content, in messages: `the report`. */
  readonly what: string
  /** Files that are read, which the output must not replace. */
  readonly inputs: readonly string[]
  /** The code of the error when the file cannot be written to its end. */
  readonly failureCode: ErrorCode
}

/** Writes to a temporary file in the same folder and renames it at the end, so that no reader sees an incomplete file. */
export class OutputFile {
  readonly #path: string
  readonly #unfinished: string
  readonly #descriptor: number
  #written = false

  /**
   * Fails before any work is done, so that no work is lost.
   * @throws {IngestError} `config_invalid` if the file cannot be created; `usage` if it is an input
   */
  constructor(
    path: string,
    private readonly options: OutputFileOptions,
  ) {
    const { what, inputs } = options
    this.#path = this.#create(path, () => placeOf(path))
    if (inputs.some(input => isSameFile(input, path)))
      throw new IngestError('usage', `${what} ${path} would replace what is read`, { hint: 'name another file' })
    this.#unfinished = join(dirname(this.#path), `.${basename(this.#path)}.${process.pid}.tmp`)
    this.#descriptor = this.#create(path, () => {
      // Removes the leftover file of a killed process. A symbolic link in its place is not followed.
      rmSync(this.#unfinished, { force: true })
      return openSync(this.#unfinished, 'wx')
    })
  }

  get written(): boolean {
    return this.#written
  }

  raw(content: string | Uint8Array): void {
    this.#written = true
    this.#write(() => {
      for (let rest = Buffer.from(content); rest.length > 0;)
        rest = rest.subarray(writeSync(this.#descriptor, rest, 0, rest.length))
    })
  }

  publish(): void {
    this.#write(() => {
      fsyncSync(this.#descriptor)
      closeSync(this.#descriptor)
      renameSync(this.#unfinished, this.#path)
    })
  }

  /** Deletes the unfinished file. An earlier file stays as it is. */
  discard(): void {
    rmSync(this.#unfinished, { force: true })
  }

  #create<T>(path: string, step: () => T): T {
    const hint = 'name a file in a folder that is there'
    return attempt(step, cause => new IngestError('config_invalid', this.#failure(path, cause), { cause, hint }))
  }

  #write(step: () => void): void {
    const { failureCode } = this.options
    attempt(step, cause => new IngestError(failureCode, this.#failure(this.#path, cause), { cause }))
  }

  #failure(path: string, cause: unknown): string {
    return `cannot write ${this.options.what} ${path}: ${messageOf(cause)}`
  }
}

/** The file to replace, with links resolved, because a rename would replace the link itself. Refuses devices and folders. */
function placeOf(path: string): string {
  const there = statSync(path, { throwIfNoEntry: false })
  if (there === undefined) return path
  if (!there.isFile()) throw new Error('it is there and no file')
  return realpathSync(path)
}

function attempt<T>(step: () => T, errorFor: (cause: unknown) => IngestError): T {
  try {
    return step()
  } catch (cause) {
    throw errorFor(cause)
  }
}
