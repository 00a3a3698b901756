/** `--report FILE`: the JSON report beside what is printed, whole or not there. */

import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { IngestError, messageOf } from '../errors.js'
import type { Action } from './context.js'
import { errorDocument } from './error-report.js'
import type { JsonSink } from './json-array-report.js'

/** Written beside the place it is for, and moved there when it is done: no reader ever sees half a report. */
class ReportFile implements JsonSink {
  readonly #path: string
  readonly #unfinished: string
  readonly #descriptor: number
  #written = false

  /**
   * @param inputs files that are read, which a report must not replace
   * @throws {IngestError} `config_invalid` before any work is done that would then go unreported
   */
  constructor(path: string, inputs: readonly string[]) {
    this.#path = attempt('config_invalid', path, () => placeOf(path))
    if (inputs.some(input => isSameFile(input, path)))
      throw new IngestError('usage', `the report ${path} would replace what is read`, { hint: 'name another file' })
    this.#unfinished = join(dirname(this.#path), `.${basename(this.#path)}.${process.pid}.tmp`)
    this.#descriptor = attempt('config_invalid', path, () => {
      // Of a process that was killed; a link that somebody left there is not followed.
      rmSync(this.#unfinished, { force: true })
      return openSync(this.#unfinished, 'wx')
    })
  }

  get written(): boolean {
    return this.#written
  }

  raw(text: string): void {
    this.#written = true
    attempt('internal', this.#path, () => {
      for (let rest = Buffer.from(text); rest.length > 0;)
        rest = rest.subarray(writeSync(this.#descriptor, rest, 0, rest.length))
    })
  }

  json(value: unknown): void {
    this.raw(`${JSON.stringify(value)}\n`)
  }

  publish(): void {
    attempt('internal', this.#path, () => {
      fsyncSync(this.#descriptor)
      closeSync(this.#descriptor)
      renameSync(this.#unfinished, this.#path)
    })
  }

  /** Leaves what was there before. */
  discard(): void {
    rmSync(this.#unfinished, { force: true })
  }
}

/** The file itself: moving a report onto a link, or onto a device, would take that away. */
function placeOf(path: string): string {
  const there = statSync(path, { throwIfNoEntry: false })
  if (there === undefined) return path
  if (!there.isFile()) throw new Error('it is there and no file')
  return realpathSync(path)
}

function isSameFile(one: string, other: string): boolean {
  try {
    const [first, second] = [one, other].map(path => statSync(path, { bigint: true }))
    return first?.ino === second?.ino && first?.dev === second?.dev
  } catch {
    // One of them is not there, or is a pattern.
    return false
  }
}

function attempt<T>(code: 'config_invalid' | 'internal', path: string, step: () => T): T {
  try {
    return step()
  } catch (cause) {
    const hint = code === 'config_invalid' ? { hint: 'name a file in a folder that is there' } : {}
    throw new IngestError(code, `cannot write the report ${path}: ${messageOf(cause)}`, { cause, ...hint })
  }
}

/** Runs `action` with `context.reportFile` where `--report` names one. A failure is a report too, as on stdout. */
export function withReportFile<Flags extends { readonly report?: string }>(action: Action<Flags>): Action<Flags> {
  return async (args, flags, context) => {
    if (flags.report === undefined) return action(args, flags, context)
    const file = new ReportFile(flags.report, args)
    try {
      const exitCode = await action(args, flags, { ...context, reportFile: file }).catch((error: unknown) => {
        if (!file.written) file.json(errorDocument(context.signal.aborted ? context.signal.reason : error))
        file.publish()
        throw error
      })
      file.publish()
      return exitCode
    } finally {
      file.discard()
    }
  }
}
