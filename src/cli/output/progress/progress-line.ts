/** Formats a meter as one line that fits the terminal. */

import { oneLine } from '../../../visible-text.js'
import { count } from '../report.js'
import type { Meter } from './meter.js'

const BAR = 20
/** Number of characters of the label that are shown in preference to the bar and the speed. */
const WIDE_LABEL = 24
/** Minimum number of characters of the label, even on the narrowest terminal. */
const MIN_LABEL = 8

/**
 * The progress line, shorter than `columns`. Parts are omitted until it fits: the bar first, then the total, then the
 * speed, then the end of the label, and the remaining time last.
 */
export function progressLine(meter: Meter, columns: number): string {
  const { fraction, rate, leftMs, work, done, total } = meter
  if (fraction === 1)
    return fitted(oneLine(work.label), work.unit === 'bytes' ? '100 %' : 'waiting for the answer', columns)
  const percent = fraction === undefined ? '' : `${Math.floor(fraction * 100)} %`
  const amount = fraction === undefined ? amountOf(done, work.unit) : ''
  const counted =
    fraction !== undefined && work.isWhole === true ? `${count(done)} of ${amountOf(total ?? 0, work.unit)}` : ''
  const speed = rate === undefined ? '' : `${amountOf(rate, work.unit)}/s`
  const left = leftMs === undefined ? '' : `${durationOf(leftMs)} left`
  const bar = fraction === undefined ? '' : barOf(fraction)
  const label = oneLine(work.label)
  const forms: readonly (readonly [label: number, ...parts: string[]])[] = [
    [WIDE_LABEL, bar, percent, counted, amount, speed, left],
    [WIDE_LABEL, percent, counted, amount, speed, left],
    [WIDE_LABEL, percent, amount, speed, left],
    [MIN_LABEL, percent, amount, left],
    [MIN_LABEL, percent, amount],
  ]
  const fitting = forms.find(([room, ...parts]) => joined(parts).length + 2 + Math.min(label.length, room) < columns)
  const [, ...parts] = fitting ?? forms.at(-1) ?? []
  return fitted(label, joined(parts), columns)
}

function joined(parts: readonly string[]): string {
  return parts.filter(part => part !== '').join('  ')
}

function fitted(label: string, rest: string, columns: number): string {
  const room = Math.max(columns - 3 - rest.length, MIN_LABEL)
  const shown = label.length <= room ? label : `${label.slice(0, room - 3)}...`
  return `${shown}  ${rest}`.slice(0, Math.max(columns - 1, 0))
}

function barOf(fraction: number): string {
  const full = Math.floor(fraction * BAR)
  return `[${'='.repeat(full)}${full < BAR ? '>' : ''}${' '.repeat(Math.max(BAR - full - 1, 0))}]`
}

function amountOf(amount: number, unit: 'bytes' | 'records'): string {
  if (unit === 'records') return `${count(Math.round(amount))} records`
  if (amount < 1e6) return `${Math.ceil(amount / 1e3)} kB`
  return amount < 1e9 ? `${(amount / 1e6).toFixed(amount < 1e7 ? 1 : 0)} MB` : `${(amount / 1e9).toFixed(1)} GB`
}

function durationOf(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  if (seconds < 100) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 100 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}
