/** Types and parsers that the commands for trials and promotions share. */

import { InvalidArgumentError } from 'commander'
import type { StateFlags } from '../../config/state.js'
import type { Action, Format } from '../context.js'

export type TuningFlags = StateFlags & {
  readonly format: Format
  readonly target?: string
  readonly sample?: string
  readonly trials?: number
  /** Time limit in milliseconds. */
  readonly budget?: number
  readonly maxTrialsPerHour?: number
  readonly trial?: string
  readonly note?: string
  readonly by?: string
}

export type TuningAction = Action<TuningFlags>

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }

/** Parses a duration such as `30s`, `5m` or `1h` into milliseconds. */
export function span(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,6})([smh])$/.exec(text) ?? []
  const unitMs = UNITS[unit]
  if (unitMs === undefined || Number(digits) === 0)
    throw new InvalidArgumentError('It must be a time such as 30s, 5m or 1h.')
  return Number(digits) * unitMs
}
