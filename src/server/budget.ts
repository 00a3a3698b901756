/** A limited amount, such as bytes of memory, that requests share. */

/** Thrown when the queue is full. The server answers 503 and `Retry-After`. */
export class OverloadedError extends Error {}

type Waiting = { readonly amount: number; readonly start: () => void }

export class Budget {
  #free: number
  readonly #waiting: Waiting[] = []

  /** @param maxWaiting number of requests that may wait for their share */
  constructor(
    private readonly total: number,
    private readonly maxWaiting = Infinity,
  ) {
    this.#free = total
  }

  /**
   * Waits for a share, in order of arrival. A request for more than the total gets the total.
   * @throws {OverloadedError} when too many requests are waiting already
   */
  async take(wanted: number): Promise<Share> {
    const amount = Math.min(wanted, this.total)
    if (this.#waiting.length === 0 && this.tryTake(amount)) return new Share(this, amount)
    if (this.#waiting.length >= this.maxWaiting) throw new OverloadedError('too many requests are waiting')
    await new Promise<void>(start => this.#waiting.push({ amount, start }))
    return new Share(this, amount)
  }

  /** Takes an amount if it is free, without waiting. The caller returns it with `give`. */
  tryTake(amount: number): boolean {
    if (amount > this.#free) return false
    this.#free -= amount
    return true
  }

  /** Returns an amount that was taken, and starts the requests that now get their share. */
  give(amount: number): void {
    this.#free += amount
    while (this.#waiting[0] !== undefined && this.tryTake(this.#waiting[0].amount)) this.#waiting.shift()?.start()
  }
}

/** A part of a budget. */
export class Share {
  constructor(
    private readonly budget: Budget,
    private amount: number,
  ) {}

  /** Gives back what exceeds `amount`. */
  shrink(amount: number): void {
    const given = Math.max(0, this.amount - amount)
    this.amount -= given
    this.budget.give(given)
  }

  release(): void {
    this.shrink(0)
  }
}
