/** The lines of a delivery by kind, each kind's as one gzip. */

import { once } from 'node:events'
import { createGzip, type Gzip } from 'node:zlib'
import type { Kind } from '../../contract/kinds.js'
import { IngestError } from '../../errors.js'
import type { LineBlock } from '../../source/lines.js'
import { readRecords } from '../../source/records.js'

export type Packed = { readonly kind: Kind; readonly records: number; readonly body: Buffer }

const LF = 0x0a
/** Of the gzip header (RFC 1952): what system made it. */
const SYSTEM_BYTE = 9
const UNKNOWN_SYSTEM = 255

/**
 * Each line is in it as it came, digit for digit; blank ones are left out. Memory holds what is compressed already: about
 * a tenth of the lines.
 * @param lines that were checked before
 * @throws {IngestError} `input_changed` when they are not records all the same
 */
export async function packByKind(lines: AsyncIterable<LineBlock>, source: string): Promise<readonly Packed[]> {
  const packs = new Map<string, Pack>()
  try {
    let block: LineBlock | undefined
    const seen = async function* (): AsyncGenerator<LineBlock> {
      for await (const next of lines) yield (block = next)
    }
    for await (const { batch, rejections } of readRecords(seen(), { source })) {
      if (rejections.length > 0) throw new IngestError('input_changed', `${source} changed while it was being read`)
      const { bytes, firstByte } = block!
      for (let row = 0; row < batch.count; row++) {
        const start = batch.bytes[row]! - firstByte
        packOf(packs, batch.kindOf(row)).add(bytes.subarray(start, bytes.indexOf(LF, start) + 1))
      }
      // The block's memory is used again.
      for (const pack of packs.values()) await pack.flush()
    }
    return await Promise.all([...packs.values()].map(pack => pack.end()))
  } finally {
    for (const pack of packs.values()) pack.close()
  }
}

function packOf(packs: Map<string, Pack>, kind: Kind): Pack {
  const known = packs.get(kind.kind)
  if (known !== undefined) return known
  const pack = new Pack(kind)
  packs.set(kind.kind, pack)
  return pack
}

class Pack {
  readonly #gzip: Gzip = createGzip()
  readonly #compressed: Buffer[] = []
  #lines: Buffer[] = []
  #records = 0

  constructor(private readonly kind: Kind) {
    this.#gzip.on('data', (chunk: Buffer) => this.#compressed.push(chunk))
  }

  add(line: Buffer): void {
    this.#lines.push(line)
    this.#records++
  }

  async flush(): Promise<void> {
    if (this.#lines.length === 0) return
    const bytes = Buffer.concat(this.#lines)
    this.#lines = []
    if (!this.#gzip.write(bytes)) await once(this.#gzip, 'drain')
  }

  async end(): Promise<Packed> {
    this.#gzip.end()
    await once(this.#gzip, 'end')
    const body = Buffer.concat(this.#compressed)
    // Its time is none anyway; with that the same lines are the same bytes wherever they are compressed.
    body[SYSTEM_BYTE] = UNKNOWN_SYSTEM
    return { kind: this.kind, records: this.#records, body }
  }

  close(): void {
    this.#gzip.close()
  }
}
