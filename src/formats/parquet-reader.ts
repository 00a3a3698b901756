/** Reads Parquet files that this program wrote. */

import { parquetMetadata, parquetReadObjects, type FileMetaData } from 'hyparquet'
import { textOf, type ExactValue } from '../contract/exact-value.js'
import type { TextRow } from '../database/queries/rows.js'

export type ParquetFile = {
  /** The key-value metadata of the file. */
  readonly metadata: ReadonlyMap<string, string>
  /** The rows of each row group. */
  readonly rowGroups: () => AsyncGenerator<readonly TextRow[]>
}

/** @throws {Error} when the bytes are no Parquet file */
export function openParquet(body: Buffer): ParquetFile {
  const bytes = body.buffer.slice(body.byteOffset, body.byteOffset + body.byteLength) as ArrayBuffer
  const metadata = parquetMetadata(bytes)
  const pairs = (metadata.key_value_metadata ?? []).map(({ key, value = '' }) => [key, value] as const)
  return { metadata: new Map(pairs), rowGroups: () => readGroups(bytes, metadata) }
}

async function* readGroups(bytes: ArrayBuffer, metadata: FileMetaData): AsyncGenerator<readonly TextRow[]> {
  let rowStart = 0
  for (const { num_rows } of metadata.row_groups) {
    const rowEnd = rowStart + Number(num_rows)
    // The library's own decoder would drop a byte-order mark at the start of a text.
    const parsers = { stringFromBytes: (text: Uint8Array | undefined) => text && Buffer.from(text).toString() }
    const rows = await parquetReadObjects({ file: bytes, metadata, rowStart, rowEnd, parsers })
    yield rows.map(textRow)
    rowStart = rowEnd
  }
}

function textRow(row: Readonly<Record<string, unknown>>): TextRow {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, textOf(value as ExactValue)]))
}
