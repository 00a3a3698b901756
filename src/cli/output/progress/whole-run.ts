/** Combines all deliveries of a command, to any number of targets, into one piece of work. */

import type { Target } from '../../../delivery/opening.js'
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

  /** Sets the label from the command and its targets. Must be called before `expect`. */
  name(command: string, targets: readonly Target[]): void {
    const [first, ...others] = targets
    const where = first === undefined || others.length > 0 ? plural(targets.length, 'target') : first.name
    this.#label = `${command} to ${where}`
  }

  /** Adds records that are to be delivered to the total. */
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

  /** Counts the whole delivery as done, even if it failed, because this run does not retry it later. */
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
