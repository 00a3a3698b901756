/** Measures a piece of work: the amount done, its speed, and the estimated time for the rest. */

type Unit = 'bytes' | 'records'

export type Work = {
  /** Description of the work in a few words. */
  readonly label: string
  readonly unit: Unit
  /** Total amount in `unit`; undefined if it is unknown. */
  readonly total: number | undefined
  /** Whether the speed is averaged since the start, because progress is uneven. The amount is then shown as "done of total". */
  readonly isWhole?: boolean
}

/** Receives the progress of a piece of work. */
export interface Gauge {
  add(amount: number): void
  /** Sets the amount done. It may decrease when work is repeated. */
  moveTo(done: number): void
  /** Increases the total amount. */
  expect(more: number): void
}

/** Creates gauges for pieces of work whose progress is shown. */
export interface Meters {
  start(work: Work): Gauge
  finish(gauge: Gauge): void
}

/** Number of samples for the speed. They cover the last few seconds, so that a standstill shows, unless `isWhole` is set. */
const SAMPLES = 25

export class Meter implements Gauge {
  readonly work: Work
  #total: number | undefined
  #done = 0
  #samples: { readonly at: number; readonly done: number }[]

  /** @param startedAt time in milliseconds, of the same clock as `sample` */
  constructor(work: Work, startedAt: number) {
    this.work = work
    this.#total = work.total
    this.#samples = [{ at: startedAt, done: 0 }]
  }

  get done(): number {
    return this.#done
  }

  add(amount: number): void {
    this.#done += amount
  }

  get total(): number | undefined {
    return this.#total
  }

  expect(more: number): void {
    if (this.#total !== undefined) this.#total += more
  }

  moveTo(done: number): void {
    // An average since the start keeps its first sample.
    if (done < this.#done && this.work.isWhole !== true)
      this.#samples = this.#samples.slice(-1).map(({ at }) => ({ at, done }))
    this.#done = done
  }

  /** Fraction done, from 0 to 1; undefined if the total is unknown, 0 or exceeded. */
  get fraction(): number | undefined {
    const { total } = this
    return total === undefined || total === 0 || this.#done > total ? undefined : this.#done / total
  }

  /** Records the amount done at the time `now` in milliseconds. Called a few times a second. */
  sample(now: number): void {
    this.#samples.push({ at: now, done: this.#done })
    if (this.#samples.length > SAMPLES) this.#samples.splice(this.work.isWhole === true ? 1 : 0, 1)
  }

  /** Speed in units per second; undefined before there are two samples. */
  get rate(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    if (first === undefined || last === undefined || last.at <= first.at) return undefined
    return ((last.done - first.done) / (last.at - first.at)) * 1000
  }

  get leftMs(): number | undefined {
    const { fraction, rate, total } = this
    if (fraction === undefined || rate === undefined || rate === 0 || total === undefined) return undefined
    return ((total - this.#done) / rate) * 1000
  }
}
