/** Shows the progress of deliveries: each by itself, or all of a command as one piece of work. */

import type { DeliveryEvent } from '../../../delivery/events.js'
import type { Gauge, Meters, Work } from './meter.js'

/** Starts a gauge for each delivery. A target gets one delivery at a time. */
export class DeliveryProgress {
  readonly #meters: Meters | WholeRun
  readonly #gauges = new Map<string, Gauge>()

  /** @param label shows all deliveries as one piece of work with this label */
  constructor(meters: Meters, label?: string) {
    this.#meters = label === undefined ? meters : new WholeRun(meters, label)
  }

  note(event: DeliveryEvent): void {
    if (event.type === 'expected' && this.#meters instanceof WholeRun) this.#meters.expect(event.records)
    if (event.type === 'read') this.#gauges.get(event.target.opener.id)?.moveTo(event.records)
    if (event.type === 'applied' || event.type === 'not-applied') this.#finish(event.target.opener.id)
    if (event.type !== 'sending') return
    const { source, target, records: total } = event
    const gauge = this.#meters.start({ label: `${source} to ${target.name}`, unit: 'records', total })
    this.#gauges.set(target.opener.id, gauge)
  }

  #finish(id: string): void {
    const gauge = this.#gauges.get(id)
    this.#gauges.delete(id)
    if (gauge !== undefined) this.#meters.finish(gauge)
  }
}

/** Combines all deliveries of a command, to any number of targets, into one piece of work. */
class WholeRun implements Meters {
  readonly #meters: Meters
  readonly #label: string
  #whole: Gauge | undefined
  #done = 0
  readonly #parts = new Map<Gauge, { readonly records: number; done: number }>()

  constructor(meters: Meters, label: string) {
    this.#meters = meters
    this.#label = label
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
