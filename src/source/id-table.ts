/** Maps each id to the line on which it was last seen, with 16 bytes per entry. */

const FREE = 0
const MAX_LOAD = 0.7
const FIRST_SLOTS = 1024
/**
 * 32-bit words per entry: the id's low half, its high half, the line, and one unused word, so that no entry spans two
 * cache lines.
 */
const ENTRY = 4

/**
 * A hash table with open addressing and linear probing. Ids are hashes already, so their low bits choose the slot. Ids
 * are handled as
 * two 32-bit halves, because creating a BigInt per lookup would cost more than the lookup.
 */
export class IdTable {
  #entries = new Int32Array(FIRST_SLOTS * ENTRY)
  #slots = FIRST_SLOTS
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Sets the line of each id, counted from 1. Calls `onRepeat` for an id that already had a line. */
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
    return this.#entries[this.#find(low, high) + 2]! >>> 0
  }

  /** Sets the line of an id and returns the line it had, or 0. */
  #put(low: number, high: number, line: number): number {
    if (this.#size >= this.#slots * MAX_LOAD) this.#grow()
    const entries = this.#entries
    const at = this.#find(low, high)
    const before = entries[at + 2]! >>> 0
    if (before === FREE) this.#size++
    entries[at] = low
    entries[at + 1] = high
    entries[at + 2] = line
    return before
  }

  /** @returns the position of the id's entry, or of the free entry where it belongs */
  #find(low: number, high: number): number {
    const entries = this.#entries
    const mask = this.#slots - 1
    let slot = low & mask
    for (;;) {
      const at = slot * ENTRY
      if (entries[at + 2] === FREE || (entries[at] === low && entries[at + 1] === high)) return at
      slot = (slot + 1) & mask
    }
  }

  #grow(): void {
    const full = this.#entries
    this.#slots *= 2
    this.#entries = new Int32Array(this.#slots * ENTRY)
    this.#size = 0
    for (let at = 0; at < full.length; at += ENTRY)
      if (full[at + 2] !== FREE) this.#put(full[at]!, full[at + 1]!, full[at + 2]!)
  }
}
