/** Limits concurrency: at most `size` tasks run at once, the others wait in order of arrival. */

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
      // The slot is handed to the next waiting task instead of being freed, so that a new task cannot overtake it.
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
      if (this.#free === this.size) for (const leave of this.#leaving.splice(0)) leave()
    }
  }

  /** Resolves when no task is running. */
  async empty(): Promise<void> {
    if (this.#free < this.size) await new Promise<void>(resolve => this.#leaving.push(resolve))
  }
}
