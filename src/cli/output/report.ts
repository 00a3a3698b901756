/** The only code that prints. Results go to stdout, everything else to stderr. */

import { Chalk, type ChalkInstance } from 'chalk'
import type { Rejection, Warning } from '../../source/rejection.js'
import { IngestError, messageOf } from '../../errors.js'
import { redact } from '../../redact.js'
import { oneLine, visibleLines } from '../../visible-text.js'
import type { Annotator, Syntax } from './annotator.js'

export type Output = { write(text: string | Uint8Array): unknown }

/** `quiet` prints only errors and requested data. `verbose` also prints the steps of the command. */
export type Loudness = 'quiet' | 'normal' | 'verbose'

export type ReportOptions = {
  readonly stdout: Output
  readonly stderr: Output
  readonly colorOut: boolean
  readonly colorErr: boolean
  /** Present if a CI service reads the log. */
  readonly annotator?: Annotator | undefined
}

export class Report {
  readonly #out: Output
  readonly #err: Output
  readonly #outChalk: ChalkInstance
  readonly #errChalk: ChalkInstance
  readonly annotator: Annotator | undefined
  /** Set once, after the command line has been parsed. */
  loudness: Loudness = 'normal'
  /** Whether the result is printed as JSON. Errors are then printed as JSON too. */
  isJson = false
  /** Syntax of the output on stdout. */
  syntax: Syntax = 'text'
  #printed = false
  #closed = false
  #failed = false
  #passing = false

  constructor({ stdout, stderr, colorOut, colorErr, annotator }: ReportOptions) {
    this.annotator = annotator
    this.#out = stdout
    this.#err = stderr
    this.#outChalk = new Chalk({ level: colorOut ? 1 : 0 })
    this.#errChalk = new Chalk({ level: colorErr ? 1 : 0 })
  }

  /** Whether a part of the result has been printed. */
  get printed(): boolean {
    return this.#printed
  }

  /** Whether the reader of stdout has closed it. */
  get closed(): boolean {
    return this.#closed
  }

  closeResult(): void {
    this.#closed = true
  }

  /** Prints a part of the result, even with `--quiet`, because it is data. In JSON, invisible characters are escaped. */
  raw(text: string | Uint8Array): void {
    this.#printed = true
    this.passing(undefined)
    if (this.#closed) return
    if (typeof text !== 'string') this.#out.write(text)
    else this.#out.write(this.#tamed(this.syntax === 'json' ? visibleLines(text) : text, this.syntax))
  }

  #tamed(text: string, syntax: Syntax): string {
    return this.annotator?.tamed(text, syntax) ?? text
  }

  /** Prints a line of data, such as an id or a problem in the input, even with `--quiet`. */
  finding(line: string): void {
    this.raw(`${visibleLines(line)}\n`)
  }

  /** Prints a line for people, unless `--quiet` is given. */
  result(line: string): void {
    this.#painted('', visibleLines(line))
  }

  #painted(word: string, rest: string): void {
    if (this.loudness === 'quiet') this.#printed = true
    else this.raw(`${word}${rest}\n`)
  }

  /** Prints a problem in the input on stdout. With `--quiet` only errors are printed. */
  flaw(level: 'error' | 'warning', line: string): void {
    const paint = level === 'error' ? this.#outChalk.red : this.#outChalk.yellow
    const rest = ` ${visibleLines(line)}`
    if (level === 'error') this.raw(`${paint('error:')}${rest}\n`)
    else this.#painted(paint('warning:'), rest)
  }

  /** Prints the first line of a result. */
  verdict(good: boolean, word: string, rest: string): void {
    const paint = good ? this.#outChalk.green : this.#outChalk.red
    this.#painted(paint(word), ` ${forPeople(rest)}`)
  }

  /** Prints an indented line that begins with a colored status of four characters. */
  status(status: 'ok' | 'warn' | 'fail', rest: string): void {
    const paint = { ok: this.#outChalk.green, warn: this.#outChalk.yellow, fail: this.#outChalk.red }[status]
    this.#painted(`  ${paint(status.padEnd(4))}`, ` ${oneLine(rest)}`)
  }

  /** Prints a report as JSON. The caller names its type, as in `json<PushReport>(report)`. */
  json<Shape extends object = never>(value: NoInfer<Shape>): void {
    this.syntax = 'json'
    this.raw(`${JSON.stringify(value)}\n`)
  }

  note(line: string): void {
    if (this.loudness !== 'quiet') this.#say(visibleLines(line))
  }

  /** Prints a step of the command on stderr, with `--verbose` only. */
  detail(line: string): void {
    if (this.loudness === 'verbose') this.#say(this.#errChalk.dim(`- ${forPeople(line)}`))
  }

  /** Prints a command for the CI runner. The runner also reads stderr, so JSON on stdout stays valid. */
  command(line: string): void {
    this.passing(undefined)
    this.#err.write(`${line}\n`)
  }

  /** Shows a temporary line on a terminal, which disappears before anything else is printed; undefined removes it. */
  passing(line: string | undefined): void {
    if (line === undefined && !this.#passing) return
    this.#err.write(`\r${line ?? ''}\u001b[K`)
    this.#passing = line !== undefined
  }

  #say(line: string): void {
    this.passing(undefined)
    this.#err.write(`${this.#tamed(line, 'text')}\n`)
  }

  /** Starts a section of the log that the CI service can fold. */
  fold(where: 'stdout' | 'stderr', title: string): void {
    if (this.annotator !== undefined) this.#to(where, `::group::${forPeople(title)}`)
  }

  unfold(where: 'stdout' | 'stderr'): void {
    if (this.annotator !== undefined) this.#to(where, '::endgroup::')
  }

  #to(where: 'stdout' | 'stderr', command: string): void {
    if (this.loudness === 'quiet') return
    if (where === 'stderr') this.command(command)
    else if (!this.#closed) this.#out.write(`${command}\n`)
  }

  warning(message: string): void {
    this.annotator?.add('warning', forPeople(message))
    this.#warn(message)
  }

  #warn(message: string): void {
    if (this.loudness !== 'quiet') this.#say(`${this.#errChalk.yellow('warning:')} ${forPeople(message)}`)
  }

  /** Prints a hint. After an error it is printed even with `--quiet`. */
  hint(message: string): void {
    this.annotator?.hint(forPeople(message))
    if (this.#failed || this.loudness !== 'quiet') this.#say(`${this.#errChalk.cyan('hint:')} ${forPeople(message)}`)
  }

  failure(message: string): void {
    this.annotator?.add('error', forPeople(message))
    this.#failed = true
    this.#say(`${this.#errChalk.red('error:')} ${forPeople(message)}`)
  }

  error(error: unknown): void {
    this.failure(messageOf(error))
    if (error instanceof IngestError) {
      if (error.hint !== undefined) this.hint(error.hint)
    } else if (error instanceof Error && error.stack !== undefined) {
      this.#say(visibleLines(redact(error.stack.split('\n').slice(1).join('\n'))))
      this.hint('this is a defect of vortex-ingest: please report it with the lines above')
    }
  }

  /**
   * Prints an error that does not affect the exit code as a warning.
   * @param why the reason why it does not, as a clause
   */
  tolerated(error: unknown, why: string): void {
    this.warning(`${messageOf(error)} (${why})`)
    if (error instanceof IngestError && error.hint !== undefined) this.hint(error.hint)
  }

  rejection(rejection: Rejection): void {
    this.annotator?.add('error', forPeople(rejection.message), rejection)
    this.#failed = true
    this.#say(`${this.#errChalk.red('error:')} ${rejectionLine(rejection)}`)
  }

  lineWarning(warning: Warning): void {
    this.annotator?.add('warning', forPeople(warning.message), warning)
    this.#warn(warningLine(warning))
  }
}

export function rejectionLine({ source, line, byte, message, code }: Rejection): string {
  return oneLine(`${source}:${line} (byte ${byte}): ${message} (${code})`)
}

export function warningLine({ source, line, message, code }: Warning): string {
  return oneLine(`${source}${line === 0 ? '' : `:${line}`}: ${message} (${code})`)
}

/** Formats `1204` as `1,204`. Does not use toLocaleString, because loading ICU would add 10 ms to every start. */
export function count(value: number | bigint): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** A number with its noun: `1 record`, `2 records`. */
export function plural(value: number, noun: string, nouns = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : nouns}`
}

export function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(durationMs < 10_000 ? 2 : 1)} s`
}

/** One line without secrets. A message can contain a DSN that was typed in place of a file name or flag. */
function forPeople(message: string): string {
  return redact(oneLine(message))
}
