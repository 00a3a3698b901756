/** One piece of work: how much of it is done, how fast it goes, and how long the rest takes at that speed. */

type Unit = 'bytes' | 'records'

export type Work = {
  /** What is done, in a few words. */
  readonly label: string
  readonly unit: Unit
  /** Undefined where nobody knows how much will come. */
  readonly total: number | undefined
  /** Goes by fits and starts, so its speed is that of all of it so far, and it is shown as so many of so many. */
  readonly isWhole?: boolean
}

/** Told how far a piece of work is. */
export interface Gauge {
  add(amount: number): void
  /** What is begun again counts from where it is now. */
  moveTo(done: number): void
  /** More is to be done than was known. */
  expect(more: number): void
}

/** Where work is announced that somebody may want to see. */
export interface Meters {
  start(work: Work): Gauge
  finish(gauge: Gauge): void
}

/** Else the speed is that of the last few seconds, so that a standstill shows. */
const SAMPLES = 25

export class Meter implements Gauge {
  readonly work: Work
  #total: number | undefined
  #done = 0
  #samples: { readonly at: number; readonly done: number }[]

  /** @param startedAt in milliseconds, as `sample` is told */
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
    // The speed of all of it so far has its start already.
    if (done < this.#done && this.work.isWhole !== true)
      this.#samples = this.#samples.slice(-1).map(({ at }) => ({ at, done }))
    this.#done = done
  }

  /** From 0 to 1; undefined where the whole is not known, or was more than anybody knew. */
  get fraction(): number | undefined {
    const { total } = this
    return total === undefined || total === 0 || this.#done > total ? undefined : this.#done / total
  }

  /** Looks at the clock; a few times a second. */
  sample(now: number): void {
    this.#samples.push({ at: now, done: this.#done })
    if (this.#samples.length > SAMPLES) this.#samples.splice(this.work.isWhole === true ? 1 : 0, 1)
  }

  /** Units a second, as far as two looks at the clock can tell. */
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
