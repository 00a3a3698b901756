/** Formats numbers, times and changes for people. */

export type Unit = 'ns' | 'bytes' | 'ratio'

type Step = readonly [least: number, divisor: number, name: string]

const STEPS: Readonly<Record<Unit, readonly Step[]>> = {
  ns: [
    [3.6e12, 3.6e12, 'h'],
    [1e9, 1e9, 's'],
    [1e6, 1e6, 'ms'],
    [1e3, 1e3, 'µs'],
    [0, 1, 'ns'],
  ],
  bytes: [
    [1e12, 1e12, 'TB'],
    [1e9, 1e9, 'GB'],
    [1e6, 1e6, 'MB'],
    [1e3, 1e3, 'kB'],
    [0, 1, 'B'],
  ],
  ratio: [[0, 1, '×']],
}

/** `12.3 ms`, `1.20 GB`, `0.85 ×`: three significant digits. */
export function formatValue(value: number, unit: Unit): string {
  const [, divisor, name] = stepFor(value, unit)
  return `${threeDigits(value / divisor)}\u00a0${name}`
}

/** Like `formatValue`, but without trailing zeros. For round values such as axis ticks. */
export function formatTick(value: number, unit: Unit): string {
  const [, divisor, name] = stepFor(value, unit)
  return `${Number((value / divisor).toPrecision(4))}\u00a0${name}`
}

function stepFor(value: number, unit: Unit): Step {
  return STEPS[unit].find(([least]) => Math.abs(value) >= least)!
}

function threeDigits(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e6) return value.toExponential(2)
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)
}

/** `+4.2 %`. A change that rounds to less than a tenth of a percent is shown without a sign, as `0.0 %`. */
export function formatChange(ratio: number): string {
  const percent = (ratio - 1) * 100
  if (Math.abs(percent) < 0.05) return '0.0\u00a0%'
  const digits = Math.abs(percent) >= 100 ? 0 : 1
  return `${percent > 0 ? '+' : '−'}${Math.abs(percent).toFixed(digits)}\u00a0%`
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US')
}

const DAY: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short' }
const CLOCK: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }

/** `3 Mar 2026, 14:05` in the reader's time zone. @param time RFC 3339 */
export function formatTime(time: string): string {
  return inWords(time, { ...DAY, ...CLOCK, year: 'numeric' })
}

/** A time on an axis, as precise as the visible time span requires. */
export function formatAxisTime(time: string, spanMs: number): string {
  if (spanMs < 2 * 86_400_000) return inWords(time, { ...DAY, ...CLOCK })
  return inWords(time, spanMs < 300 * 86_400_000 ? DAY : { month: 'short', year: 'numeric' })
}

function inWords(time: string, options: Intl.DateTimeFormatOptions): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? time : date.toLocaleString('en-GB', options)
}

export function shortSha(sha: string): string {
  return sha.slice(0, 7)
}

export type AnswerRow = Readonly<Record<string, unknown>>

/** The objects of the first list in a response. Empty when there is no list. */
export function listRows(answer: unknown): readonly AnswerRow[] {
  if (Array.isArray(answer)) return answer.filter(isRow)
  const list = isRow(answer) ? Object.values(answer).find(value => Array.isArray(value)) : undefined
  return Array.isArray(list) ? list.filter(isRow) : []
}

export function formatCell(value: unknown): string {
  if (value === null || value === undefined) return '–'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  if (!isRow(value)) return JSON.stringify(value)
  // The value is a target's lag or an event.
  if (typeof value['records'] === 'number') return `${value['records']} records`
  return formatCell(value['message'] ?? JSON.stringify(value))
}

function isRow(value: unknown): value is AnswerRow {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
