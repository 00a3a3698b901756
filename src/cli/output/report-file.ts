/** `--report FILE`: writes the JSON report to a file in addition to the printed result. The file appears only when complete. */

import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { IngestError, messageOf } from '../../errors.js'
import { visibleLines } from '../../visible-text.js'
import type { Action } from '../context.js'
import { errorDocument } from './error-report.js'
import type { JsonSink } from './json-array-report.js'
import type { ErrorReport } from '../../reports/records.js'

/** Writes to a temporary file in the same folder and renames it at the end, so that no reader sees an incomplete report. */
class ReportFile implements JsonSink {
  readonly #path: string
  readonly #unfinished: string
  readonly #descriptor: number
  #written = false

  /**
   * Fails before any work is done, so that no work goes unreported.
   * @param inputs the command's input files, which the report must not replace
   * @throws {IngestError} `config_invalid` if the file cannot be created; `usage` if it is an input
   */
  constructor(path: string, inputs: readonly string[]) {
    this.#path = attempt('config_invalid', path, () => placeOf(path))
    if (inputs.some(input => isSameFile(input, path)))
      throw new IngestError('usage', `the report ${path} would replace what is read`, { hint: 'name another file' })
    this.#unfinished = join(dirname(this.#path), `.${basename(this.#path)}.${process.pid}.tmp`)
    this.#descriptor = attempt('config_invalid', path, () => {
      // Removes the leftover file of a killed process. A symbolic link in its place is not followed.
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
      for (let rest = Buffer.from(visibleLines(text)); rest.length > 0;)
        rest = rest.subarray(writeSync(this.#descriptor, rest, 0, rest.length))
    })
  }

  json<Shape extends object = never>(value: NoInfer<Shape>): void {
    this.raw(`${JSON.stringify(value)}\n`)
  }

  publish(): void {
    attempt('internal', this.#path, () => {
      fsyncSync(this.#descriptor)
      closeSync(this.#descriptor)
      renameSync(this.#unfinished, this.#path)
    })
  }

  /** Deletes the unfinished report. An earlier report file stays as it is. */
  discard(): void {
    rmSync(this.#unfinished, { force: true })
  }
}

/** The file to replace, with links resolved, because a rename would replace the link itself. Refuses devices and folders. */
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
    // One of the paths does not exist or is a pattern.
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

/** Runs `action` with `context.reportFile` if `--report` is given. An error is written as a report too, as on stdout. */
export function withReportFile<Flags extends { readonly report?: string }>(action: Action<Flags>): Action<Flags> {
  return async (args, flags, context) => {
    if (flags.report === undefined) return action(args, flags, context)
    const file = new ReportFile(flags.report, args)
    try {
      const exitCode = await action(args, flags, { ...context, reportFile: file }).catch((error: unknown) => {
        if (!file.written) file.json<ErrorReport>(errorDocument(context.signal.aborted ? context.signal.reason : error))
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
