/** The progress line of a command. It appears only for long work and disappears before other output. */

import type { ReadProgress } from '../../../source/byte-reader.js'
import { Meter, type Gauge, type Meters, type Work } from './meter.js'
import { progressLine } from './progress-line.js'

export type ProgressOptions = {
  /** Replaces the shown line; undefined removes it. */
  readonly draw: (line: string | undefined) => void
  readonly columns: () => number
  /** Current time in milliseconds. */
  readonly now: () => number
}

/** Delay before the line first appears, so that short work shows none. */
const PATIENCE_MS = 500
const REDRAW_MS = 200

export class Progress implements Meters, ReadProgress {
  readonly #options: ProgressOptions
  readonly #startedAt: number
  readonly #timer: NodeJS.Timeout
  readonly #sizes = new Map<string, number | undefined>()
  /** Sources that the current pass over the inputs has started to read. */
  readonly #seen = new Set<string>()
  readonly #meters = new Set<Meter>()
  #reading: Meter | undefined

  constructor(options: ProgressOptions) {
    this.#options = options
    this.#startedAt = options.now()
    this.#timer = setInterval(() => this.#redraw(), REDRAW_MS)
    this.#timer.unref()
  }

  expect(source: string, bytes: number | undefined): void {
    this.#sizes.set(source, bytes)
  }

  /** Called when the reading of a source begins. If the current pass has read the source already, a new pass begins. */
  begin(source: string): (bytes: number) => void {
    if (this.#seen.has(source)) this.#seen.clear()
    if (this.#seen.size === 0) this.#reading = new Meter(this.#passOver(source), this.#options.now())
    this.#seen.add(source)
    const meter = this.#reading
    return bytes => meter?.add(bytes)
  }

  /** Starts a meter for other long work, which ends with `finish`. */
  start(work: Work): Meter {
    const meter = new Meter(work, this.#options.now())
    this.#meters.add(meter)
    return meter
  }

  finish(gauge: Gauge): void {
    for (const meter of this.#meters) if (meter === gauge) this.#meters.delete(meter)
  }

  /** Removes the line and stops redrawing it. */
  stop(): void {
    clearInterval(this.#timer)
    this.#options.draw(undefined)
  }

  #passOver(source: string): Work {
    const sizes = [...this.#sizes.values()]
    const total = sizes.some(bytes => bytes === undefined)
      ? undefined
      : sizes.reduce<number>((all, bytes) => all + (bytes ?? 0), 0)
    const name = source === '-' ? 'standard input' : source
    const label = this.#sizes.size > 1 ? `reading ${this.#sizes.size} files` : `reading ${name}`
    return { label, unit: 'bytes', total }
  }

  #redraw(): void {
    const { now, draw, columns } = this.#options
    for (const meter of [...this.#meters, this.#reading]) meter?.sample(now())
    if (now() - this.#startedAt < PATIENCE_MS) return
    const meter = this.#slowest() ?? this.#reading
    if (meter !== undefined) draw(progressLine(meter, columns()))
  }

  /** The concurrent piece of work that is expected to end last. */
  #slowest(): Meter | undefined {
    const lasting = (meter: Meter): number => meter.leftMs ?? Infinity
    return [...this.#meters].sort((a, b) => lasting(b) - lasting(a))[0]
  }
}
