/** Objects of an archive as Parquet: the columns of a kind and the measurement id, with the comment as metadata. */

import { createHash } from 'node:crypto'
import { wasmHash64 } from '../../contract/hash64.js'
import type { Kind } from '../../contract/kinds.js'
import type { StoredRow } from '../../database/queries/rows.js'
import { IngestError, messageOf } from '../../errors.js'
import { recordLine, rowOfRecord } from '../../formats/json-lines.js'
import { openParquet, type ParquetFile } from '../../formats/parquet-reader.js'
import { parquetEncoder } from '../../formats/parquet-writer.js'
import { tableOf } from '../../formats/table.js'
import { createIdentifier } from '../../source/identify.js'
import type { Pack, Packing } from './pack.js'

/** The names of the metadata: the comment of a jsonl object, and the SHA-256 of the ids and lines of the records. */
const COMMENT = 'vortex_ingest'
const DIGEST = 'vortex_ingest.sha256'

export async function parquetPacking(comment: string | undefined): Promise<Packing> {
  return { prepare: createIdentifier(await wasmHash64()), start: kind => parquetPack(kind, comment) }
}

function parquetPack(kind: Kind, comment: string | undefined): Pack {
  const digest = createHash('sha256')
  const metadata = (): Record<string, string> => ({
    ...(comment !== undefined && { [COMMENT]: comment }),
    [DIGEST]: digest.digest('hex'),
  })
  const encoder = parquetEncoder(tableOf(kind), { metadata })
  const chunks: Uint8Array[] = []
  return {
    add(batch, at) {
      const row = rowOfRecord(batch, at)
      digest.update(digested(kind, row))
      const bytes = encoder.add(row)
      if (bytes.length > 0) chunks.push(bytes)
    },
    flush: () => Promise.resolve(),
    end: async () => Buffer.concat([...chunks, encoder.end()]),
    close: () => undefined,
  }
}

function digested(kind: Kind, row: StoredRow): string {
  return `${row.measurement_id} ${recordLine(kind, row)}\n`
}

export type ParquetObject = {
  readonly comment: string | undefined
  /** The records as lines, with line feeds. */
  readonly lines: () => AsyncGenerator<Buffer>
}

/**
 * Reads an object.
 * @param source names the object in errors
 * @throws {IngestError} `bad_data` for a damaged object, at the latest after its last line
 */
export function readParquetObject(body: Buffer, kind: Kind, source: string): ParquetObject {
  const file = explained(source, () => openParquet(body))
  return { comment: file.metadata.get(COMMENT), lines: () => checkedLines(file, kind, source) }
}

async function* checkedLines(file: ParquetFile, kind: Kind, source: string): AsyncGenerator<Buffer> {
  const digest = createHash('sha256')
  const groups = file.rowGroups()
  for (;;) {
    const group = await groups.next().catch((cause: unknown) => {
      throw damagedError(source, cause)
    })
    if (group.done === true) break
    const rows = group.value as readonly StoredRow[]
    const lines = explained(source, () => Buffer.from(rows.map(row => `${recordLine(kind, row)}\n`).join('')))
    for (const row of rows) digest.update(digested(kind, row))
    yield lines
  }
  if (digest.digest('hex') !== file.metadata.get(DIGEST))
    throw damagedError(source, new Error('its records are not those that were written'))
}

function explained<T>(source: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw damagedError(source, cause)
  }
}

function damagedError(source: string, cause: unknown): IngestError {
  const hint = 'restore the object from a copy'
  return new IngestError('bad_data', `${source}: Parquet data is damaged: ${messageOf(cause)}`, { cause, hint })
}
