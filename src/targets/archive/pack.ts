/** Packs the lines of a delivery into one object per kind. */

import { once } from 'node:events'
import { createGzip, type Gzip } from 'node:zlib'
import type { Kind } from '../../contract/kinds.js'
import { IngestError } from '../../errors.js'
import type { LineBlock } from '../../source/lines.js'
import type { RecordBatch } from '../../source/record-batch.js'
import { recordLines } from '../../source/record-lines.js'
import { withGzipComment } from './gzip-comment.js'

export type Packed = { readonly kind: Kind; readonly records: number; readonly body: Buffer }

/** An object that is being packed. */
export interface Pack {
  /** @param line the unchanged line of the row, with its line feed */
  add(batch: RecordBatch, row: number, line: Buffer): void
  /** Must be called before the memory of the added lines is reused. */
  flush(): Promise<void>
  /** @returns the object. Equal records and comments give equal bytes */
  end(): Promise<Buffer>
  close(): void
}

/** How to make the objects of a delivery. */
export type Packing = {
  /** Prepares a batch before its rows are added. */
  readonly prepare?: (batch: RecordBatch) => void
  readonly start: (kind: Kind) => Pack
}

/** Packs lines, digit for digit, as gzip files. @param comment is stored in each object */
export function gzipPacking(comment: string | undefined): Packing {
  return { start: () => new GzipPack(comment) }
}

/**
 * Packs each record and skips blank lines. Holds only packed data in memory, for lines about a tenth of their size.
 * @param lines lines that were validated before
 * @throws {IngestError} `input_changed` when a line is no longer a valid record
 */
export async function packByKind(
  lines: AsyncIterable<LineBlock>,
  source: string,
  { prepare, start }: Packing,
): Promise<readonly Packed[]> {
  const packs = new Map<Kind, Pack>()
  const records = new Map<Kind, number>()
  try {
    const onRejection = (): IngestError => new IngestError('input_changed', `${source} changed while it was being read`)
    for await (const { batch, lineOf } of recordLines(lines, { source, onRejection })) {
      prepare?.(batch)
      for (let row = 0; row < batch.count; row++) {
        const kind = batch.kindOf(row)
        const pack = packs.get(kind) ?? start(kind)
        packs.set(kind, pack)
        pack.add(batch, row, lineOf(row))
        records.set(kind, (records.get(kind) ?? 0) + 1)
      }
      // The lines must be packed now, because the block's memory is reused.
      for (const pack of packs.values()) await pack.flush()
    }
    const ended = [...packs].map(async ([kind, pack]) => ({
      kind,
      records: records.get(kind)!,
      body: await pack.end(),
    }))
    return await Promise.all(ended)
  } finally {
    for (const pack of packs.values()) pack.close()
  }
}

/** Position of the byte in the gzip header that names the operating system (RFC 1952). */
const SYSTEM_BYTE = 9
const UNKNOWN_SYSTEM = 255

class GzipPack implements Pack {
  readonly #gzip: Gzip = createGzip()
  readonly #compressed: Buffer[] = []
  #lines: Buffer[] = []

  constructor(private readonly comment: string | undefined) {
    this.#gzip.on('data', (chunk: Buffer) => this.#compressed.push(chunk))
  }

  add(_batch: RecordBatch, _row: number, line: Buffer): void {
    this.#lines.push(line)
  }

  async flush(): Promise<void> {
    if (this.#lines.length === 0) return
    const bytes = Buffer.concat(this.#lines)
    this.#lines = []
    if (!this.#gzip.write(bytes)) await once(this.#gzip, 'drain')
  }

  async end(): Promise<Buffer> {
    this.#gzip.end()
    await once(this.#gzip, 'end')
    const body = Buffer.concat(this.#compressed)
    // Node leaves the header's time empty. Without the operating system, equal lines give equal bytes on every system.
    body[SYSTEM_BYTE] = UNKNOWN_SYSTEM
    return this.comment === undefined ? body : withGzipComment(body, this.comment)
  }

  close(): void {
    this.#gzip.close()
  }
}
