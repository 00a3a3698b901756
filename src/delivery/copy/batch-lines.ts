/** The lines of one batch, in memory or in a temporary file. */

import { chunkReader } from '../../source/byte-reader.js'
import { ByteSpool } from '../../source/byte-spool.js'
import type { Source } from '../../source/source.js'

/** Lines beyond this size go to a temporary file. */
const MAX_MEMORY_BYTES = 16 * 1024 * 1024
/** Lines are collected to this size before they are encoded, because encoding each by itself is slow. */
const PART_LENGTH = 64 * 1024

export class BatchLines {
  records = 0
  readonly #spool = new ByteSpool('the records of a commit', MAX_MEMORY_BYTES)
  #part = ''
  #ids = new BigInt64Array(1024)

  /** @param line with its line feed @param id the stored measurement id */
  add(line: string, id: string): void {
    if (this.records === this.#ids.length) this.#grow()
    this.#ids[this.records++] = BigInt(id)
    this.#part += line
    if (this.#part.length >= PART_LENGTH) this.#flush()
  }

  addBytes(lines: Uint8Array, records: number): void {
    this.#spool.append(lines)
    this.records += records
  }

  get storedIds(): BigInt64Array {
    return this.#ids.subarray(0, this.records)
  }

  /** @param name of the lines in messages */
  source(name: string): Source {
    this.#flush()
    return spoolSource(name, this.#spool)
  }

  #flush(): void {
    if (this.#part !== '') this.#spool.append(this.#part)
    this.#part = ''
  }

  #grow(): void {
    const ids = new BigInt64Array(this.#ids.length * 2)
    ids.set(this.#ids)
    this.#ids = ids
  }
}

function spoolSource(name: string, spool: ByteSpool): Source {
  const chunks = async function* (): AsyncGenerator<Buffer> {
    yield* spool.chunks()
  }
  return {
    name,
    open: async () => chunkReader(chunks(), () => Promise.resolve()),
    assertUnchanged: () => Promise.resolve(),
    stat: () => Promise.resolve(''),
    release: async () => spool.close(),
  }
}
