/** What the world hands to a command. */

import type { Environment } from '../commit/ci.js'
import type { Origins } from '../config/settings.js'
import type { Target } from '../delivery/opening.js'
import type { ReadWatch } from '../source/read-watch.js'
import type { JsonSink } from './json-array-report.js'
import type { Meters } from './progress/meter.js'
import type { Report } from './report.js'

export type Context = {
  readonly stdin: NodeJS.ReadStream
  readonly env: Environment
  /** Where the values of the command's flags come from. */
  readonly origins: Origins
  readonly report: Report
  /** How wide the terminal is that shows the result; undefined where it goes elsewhere. */
  readonly columns: number | undefined
  /** How far the work is, shown to whoever waits for it or asked to be told. */
  readonly watch?: Watch
  /** Where messages and progress go. */
  readonly screen: Screen
  /** Where the JSON report goes as well. */
  readonly reportFile?: JsonSink
  /** The CI service's page of this run, where it has one. */
  readonly ci?: CiStep
  /** Aborted by Ctrl-C and SIGTERM, with the error to end with as its reason. */
  readonly signal: AbortSignal
  /** Says how long the command may take to end after that, where the usual moment is too short. */
  readonly stopWithin: (timeoutMs: number) => void
  readonly now: () => Date
  readonly random: () => number
}

/** The terminal that messages go to, if it is one; `columns` changes when its window does. */
export type Screen = { readonly isTTY?: boolean; readonly columns?: number }

export interface Watch {
  /** For inputs. */
  readonly reads?: ReadWatch
  /** For any other long work. */
  readonly meters?: Meters
  /** The same targets, whose deliveries are watched. @param meters by whom; default: `meters` */
  targets(targets: readonly Target[], meters?: Meters): readonly Target[]
  /** Nothing is shown any more. */
  stop(): void
}

/** What a command leaves for the CI service. */
export type Told = {
  /** Markdown. */
  readonly summary: string
  readonly outputs: Readonly<Record<string, string | number>>
}

export interface CiStep {
  /** Once, before the command prints anything. */
  begin(command: string, flags: object): Promise<void>
  /** Whether anybody will see a summary. */
  readonly hasSummary: boolean
  tell(told: Told): void
}

/** Runs one command and returns its exit code. */
export type Action<Flags> = (args: readonly string[], flags: Flags, context: Context) => Promise<number>

export type Format = 'human' | 'json'
