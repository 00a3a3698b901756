/** Remembers for every id the line it was last seen on, 12 bytes an entry. */

const FREE = 0
const MAX_LOAD = 0.7

/**
 * Open addressing with linear probing: ids are hashes already, so their low bits choose the slot.
 * Ids are handled as two 32-bit halves, because a BigInt for each look would cost more than the look.
 */
export class IdTable {
  #lines = new Uint32Array(1024)
  #halves = new Int32Array(2048)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Sets the line (from 1) of each id and calls `onRepeat` with the line it had where there was one. */
  putAll(ids: BigInt64Array, lines: Uint32Array, onRepeat: (line: number, before: number) => void): void {
    const halves = new Int32Array(ids.buffer, ids.byteOffset, ids.length * 2)
    for (let at = 0; at < ids.length; at++) {
      const line = lines[at]!
      const before = this.#put(halves[at * 2]!, halves[at * 2 + 1]!, line)
      if (before !== FREE) onRepeat(line, before)
    }
  }

  /** The line of `id`, or 0. */
  get(id: bigint): number {
    const [low = 0, high = 0] = new Int32Array(BigInt64Array.of(id).buffer)
    return this.#lines[this.#slotOf(low, high)]!
  }

  /** Sets the line of an id and returns the line it had, or 0. */
  #put(low: number, high: number, line: number): number {
    if (this.#size >= this.#lines.length * MAX_LOAD) this.#grow()
    const slot = this.#slotOf(low, high)
    const before = this.#lines[slot]!
    if (before === FREE) this.#size++
    this.#set(slot, low, high, line)
    return before
  }

  #set(slot: number, low: number, high: number, line: number): void {
    this.#lines[slot] = line
    this.#halves[slot * 2] = low
    this.#halves[slot * 2 + 1] = high
  }

  #slotOf(low: number, high: number): number {
    const lines = this.#lines
    const halves = this.#halves
    const mask = lines.length - 1
    let slot = low & mask
    while (lines[slot] !== FREE && (halves[slot * 2] !== low || halves[slot * 2 + 1] !== high)) slot = (slot + 1) & mask
    return slot
  }

  #grow(): void {
    const lines = this.#lines
    const halves = this.#halves
    this.#lines = new Uint32Array(lines.length * 2)
    this.#halves = new Int32Array(halves.length * 2)
    for (let from = 0; from < lines.length; from++) {
      if (lines[from] === FREE) continue
      const low = halves[from * 2]!
      const high = halves[from * 2 + 1]!
      this.#set(this.#slotOf(low, high), low, high, lines[from]!)
    }
  }
}
