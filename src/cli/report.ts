/** The only place that prints: results on stdout, everything else on stderr. */

import { Chalk, type ChalkInstance } from 'chalk'
import type { Rejection, Warning } from '../source/rejection.js'
import { IngestError, messageOf } from '../errors.js'
import { redact } from '../sink/redact.js'
import type { Annotator, Syntax } from './annotator.js'

export type Output = { write(text: string | Uint8Array): unknown }

/** `quiet`: only errors, and what is asked for as data. `verbose`: also what is done meanwhile. */
export type Loudness = 'quiet' | 'normal' | 'verbose'

export type ReportOptions = {
  readonly stdout: Output
  readonly stderr: Output
  readonly colorOut: boolean
  readonly colorErr: boolean
  /** Given where a CI service reads the log. */
  readonly annotator?: Annotator | undefined
}

export class Report {
  readonly #out: Output
  readonly #err: Output
  readonly #outChalk: ChalkInstance
  readonly #errChalk: ChalkInstance
  readonly annotator: Annotator | undefined
  /** Set once, when the command line is known. */
  loudness: Loudness = 'normal'
  /** Whether the result is to be JSON; a failure is then, too. */
  isJson = false
  /** Of what is printed on stdout. */
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

  /** Whether a part of the result is out already. */
  get printed(): boolean {
    return this.#printed
  }

  /** Whether nobody reads the result any more. */
  get closed(): boolean {
    return this.#closed
  }

  closeResult(): void {
    this.#closed = true
  }

  /** A part of the result, as it is: data, which no wish for quiet is about. */
  raw(text: string | Uint8Array): void {
    this.#printed = true
    this.passing(undefined)
    if (!this.#closed) this.#out.write(typeof text === 'string' ? this.#tamed(text, this.syntax) : text)
  }

  #tamed(text: string, syntax: Syntax): string {
    return this.annotator?.tamed(text, syntax) ?? text
  }

  /** A line of data: an id, or something that is wrong with the input. */
  finding(line: string): void {
    this.raw(`${line}\n`)
  }

  /** A line for people. */
  result(line: string): void {
    if (this.loudness === 'quiet') this.#printed = true
    else this.raw(`${line}\n`)
  }

  /** A line of data about something that is wrong with the input. */
  flaw(level: 'error' | 'warning', line: string): void {
    const paint = level === 'error' ? this.#outChalk.red : this.#outChalk.yellow
    const painted = `${paint(`${level}:`)} ${line}`
    if (level === 'error') this.finding(painted)
    else this.result(painted)
  }

  /** The first line of a result. */
  verdict(good: boolean, word: string, rest: string): void {
    const paint = good ? this.#outChalk.green : this.#outChalk.red
    this.result(`${paint(word)} ${forPeople(rest)}`)
  }

  /** How a line of a result stands, four characters wide. */
  status(status: 'ok' | 'warn' | 'fail'): string {
    const paint = { ok: this.#outChalk.green, warn: this.#outChalk.yellow, fail: this.#outChalk.red }[status]
    return paint(status.padEnd(4))
  }

  json(value: unknown): void {
    this.syntax = 'json'
    this.raw(`${JSON.stringify(value)}\n`)
  }

  note(line: string): void {
    if (this.loudness !== 'quiet') this.#say(line)
  }

  /** What is done meanwhile, for who asked to be told. */
  detail(line: string): void {
    if (this.loudness === 'verbose') this.#say(this.#errChalk.dim(`- ${forPeople(line)}`))
  }

  /** A line for the runner. On stderr, which it reads as well, so that JSON on stdout stays JSON. */
  command(line: string): void {
    this.passing(undefined)
    this.#err.write(`${line}\n`)
  }

  /** A line on a terminal that is gone before anything else is printed; undefined takes it away. */
  passing(line: string | undefined): void {
    if (line === undefined && !this.#passing) return
    this.#err.write(`\r${line ?? ''}\u001b[K`)
    this.#passing = line !== undefined
  }

  #say(line: string): void {
    this.passing(undefined)
    this.#err.write(`${this.#tamed(line, 'text')}\n`)
  }

  /** Opens a part of the log that can be folded, where a runner can. */
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
    this.note(`${this.#errChalk.yellow('warning:')} ${forPeople(message)}`)
  }

  /** What to do; goes with an error before it, where there is one. */
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
      this.#say(redact(error.stack.split('\n').slice(1).join('\n')))
      this.hint('this is a defect of vortex-ingest: please report it with the lines above')
    }
  }

  /** A failure that does not decide. @param why not, in a clause */
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

/** `1204` as `1,204`. (toLocaleString would load ICU: 10 ms of every start.) */
export function count(value: number | bigint): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 record`, `2 records`. */
export function plural(value: number, noun: string, nouns = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : nouns}`
}

export function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(durationMs < 10_000 ? 2 : 1)} s`
}

/** A DSN may stand where a file's name or a flag was meant to. */
function forPeople(message: string): string {
  return redact(oneLine(message))
}

/** Text from outside, a file's name too, must not move the cursor or fake a second line. */
export function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
}
