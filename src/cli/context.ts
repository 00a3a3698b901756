/** The environment in which a command runs: streams, variables, clock, randomness and cancellation. */

import type { Command } from 'commander'
import type { Environment } from '../commit/ci.js'
import type { Origins } from '../config/option.js'
import type { Emit } from '../delivery/events.js'
import type { ReadProgress } from '../source/byte-reader.js'
import type { JsonSink } from './output/json-array-report.js'
import type { Meters } from './output/progress/meter.js'
import type { Report } from './output/report.js'

export type Context = {
  readonly stdin: NodeJS.ReadStream
  readonly env: Environment
  /** Source of each flag's value: the command line, a variable or the config file. */
  readonly origins: Origins
  readonly report: Report
  /** Width in characters of the terminal that shows the result; undefined if stdout is not a terminal. */
  readonly columns: number | undefined
  /** Progress display and verbose log; undefined if neither is wanted. */
  readonly watch?: Watch
  /** The stream for messages and progress. */
  readonly screen: Screen
  /** The file of `--report`, which receives a copy of the JSON report. */
  readonly reportFile?: JsonSink
  /** The CI step that this command runs in, if the CI service can show summaries. */
  readonly ci?: CiStep
  /** Aborted on SIGINT (Ctrl-C) and SIGTERM. Its reason is the error that the command must fail with. */
  readonly signal: AbortSignal
  /** Sets how long the command may take to stop after a signal, if it needs more than the default. */
  readonly stopWithin: (timeoutMs: number) => void
  readonly now: () => Date
  readonly random: () => number
}

/** The stream for messages. `columns` is its current width, which changes when the terminal is resized. */
export type Screen = { readonly isTTY?: boolean; readonly columns?: number }

export interface Watch {
  /** Observes the reading of inputs. */
  readonly reads?: ReadProgress
  /** Creates progress meters for all other long work. */
  readonly meters?: Meters
  /**
   * Returns a listener for the events of deliveries.
   * @param label shows all deliveries of the command as one piece of work with this label
   */
  deliveries(label?: string): Promise<Emit>
  /** Ends the progress display and the verbose log. */
  stop(): void
}

/** Results of a command for the CI service. */
export type StepSummary = {
  /** Step summary in Markdown. */
  readonly summary: string
  readonly outputs: Readonly<Record<string, string | number>>
}

export interface CiStep {
  /** Called once, before the command prints anything. */
  begin(command: string, flags: object): Promise<void>
  /** Whether the CI service shows a summary. */
  readonly hasSummary: boolean
  setSummary(summary: StepSummary): void
}

/** Builds the program with every command. */
export type AllCommands = () => Promise<Command>

/** Runs one command and returns its exit code. */
export type Action<Flags> = (args: readonly string[], flags: Flags, context: Context) => Promise<number>

export type Format = 'human' | 'json'
