/** Deliveries of one command, however many and to however many targets, as one piece of work. */

import { nameOf, type Target } from '../../delivery/opening.js'
import { plural } from '../report.js'
import type { Gauge, Meters, Work } from './meter.js'

export class WholeRun implements Meters {
  readonly #meters: Meters
  #label = ''
  #whole: Gauge | undefined
  #done = 0
  readonly #parts = new Map<Gauge, { readonly records: number; done: number }>()

  constructor(meters: Meters) {
    this.#meters = meters
  }

  /** Before anything is expected: what is done, and where to. */
  name(command: string, targets: readonly Target[]): void {
    const [first, ...others] = targets
    const where = first === undefined || others.length > 0 ? plural(targets.length, 'target') : nameOf(first)
    this.#label = `${command} to ${where}`
  }

  /** So many more records are to be delivered. */
  expect(records: number): void {
    if (this.#whole === undefined) this.#whole = this.#begin(records)
    else this.#whole.expect(records)
  }

  start({ total: records = 0 }: Work): Gauge {
    const part = { records, done: 0 }
    const move = (done: number): void => {
      part.done = done
      this.#show()
    }
    const gauge: Gauge = { add: amount => move(part.done + amount), moveTo: move, expect: more => this.expect(more) }
    this.#parts.set(gauge, part)
    return gauge
  }

  /** What failed is passed as well: this run does not come back to it. */
  finish(gauge: Gauge): void {
    this.#done += this.#parts.get(gauge)?.records ?? 0
    this.#parts.delete(gauge)
    this.#show()
  }

  #begin(total: number): Gauge {
    return this.#meters.start({ label: this.#label, unit: 'records', total, isWhole: true })
  }

  #show(): void {
    this.#whole ??= this.#begin(0)
    this.#whole.moveTo([...this.#parts.values()].reduce((all, { done }) => all + done, this.#done))
  }
}
