/** Lets so many in at once and the others wait, first come first served. */

export class Slots {
  readonly #waiting: (() => void)[] = []
  readonly #leaving: (() => void)[] = []
  #free: number

  constructor(readonly size: number) {
    this.#free = size
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      // Handed on rather than freed: whoever comes next must not overtake.
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
      if (this.#free === this.size) for (const leave of this.#leaving.splice(0)) leave()
    }
  }

  /** Resolves when nobody is in. */
  async empty(): Promise<void> {
    if (this.#free < this.size) await new Promise<void>(resolve => this.#leaving.push(resolve))
  }
}
