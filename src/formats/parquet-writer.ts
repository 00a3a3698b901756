/** Encodes tables as Parquet. Equal rows and metadata give equal bytes, however the rows arrive. */

import type { SchemaElement } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { TextRow } from '../database/queries/rows.js'
import { cellValue, type CellValue, type Table, type TableColumn } from './table.js'
import type { TableEncoder } from './table-encoder.js'

/** A row group ends at whichever comes first. One row group is held in memory. */
const GROUP_ROWS = 50_000
const GROUP_CHARACTERS = 8 * 1024 * 1024
const NONE = new Uint8Array()

export type ParquetEncoderOptions = {
  /** Called before the end of the file is written. */
  readonly metadata?: () => Readonly<Record<string, string>>
}

export function parquetEncoder(table: Table, { metadata }: ParquetEncoderOptions = {}): TableEncoder {
  const { columns } = table
  const bytes = new ByteWriter()
  const pairs: { key: string; value: string }[] = []
  const file = new ParquetWriter({
    writer: bytes,
    schema: parquetSchema(table),
    createdBy: 'vortex-ingest',
    kvMetadata: pairs,
  })
  let cells: CellValue[][] = columns.map(() => [])
  let characters = 0
  const endGroup = (): Uint8Array => {
    const rows = cells[0]!.length
    const columnData = columns.map(({ name }, index) => ({ name, data: cells[index]! }))
    // The writer only waits for a `flush` of its own bytes, which this one does not have.
    if (rows > 0) void file.write({ columnData, rowGroupSize: rows })
    cells = columns.map(() => [])
    characters = 0
    return takeBytes(bytes)
  }
  return {
    add(row) {
      for (const [index, column] of columns.entries()) cells[index]!.push(parquetValue(column, row))
      characters += rowCharacters(columns, row)
      return cells[0]!.length < GROUP_ROWS && characters < GROUP_CHARACTERS ? NONE : endGroup()
    },
    end() {
      const group = endGroup()
      for (const [key, value] of Object.entries(metadata?.() ?? {})) pairs.push({ key, value })
      void file.finish()
      return Buffer.concat([group, takeBytes(bytes)])
    },
  }
}

/** Takes the bytes that were written. Offsets continue to count from the start of the file. */
function takeBytes(writer: ByteWriter): Uint8Array {
  const taken = Uint8Array.from(new Uint8Array(writer.buffer, 0, writer.index))
  writer.index = 0
  return taken
}

function rowCharacters(columns: readonly TableColumn[], row: TextRow): number {
  return columns.reduce((sum, { name }) => sum + (row[name]?.length ?? 0) + 8, 0)
}

function parquetValue(column: TableColumn, row: TextRow): CellValue {
  const value = cellValue(column, row)
  return column.type === 'timestamp' && typeof value === 'string' ? microseconds(value) : value
}

/** @param text RFC 3339 in UTC, with up to six digits after the point */
function microseconds(text: string): bigint {
  const [, seconds = '', fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(text) ?? []
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000n + BigInt(fraction.padEnd(6, '0').slice(0, 6))
}

function parquetSchema({ name, columns }: Table): SchemaElement[] {
  return [{ name, num_children: columns.length }, ...columns.flatMap(schemaElements)]
}

function schemaElements({ name, type, optional }: TableColumn): SchemaElement[] {
  const repetition_type = optional ? 'OPTIONAL' : 'REQUIRED'
  switch (type) {
    case 'str':
      return [{ name, repetition_type, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } }]
    case 'i32':
      return [{ name, repetition_type, type: 'INT32' }]
    case 'i64':
      return [{ name, repetition_type, type: 'INT64' }]
    case 'f64':
      return [{ name, repetition_type, type: 'DOUBLE' }]
    case 'timestamp': {
      const logical_type = { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' } as const
      return [{ name, repetition_type, type: 'INT64', converted_type: 'TIMESTAMP_MICROS', logical_type }]
    }
    case '[i64]':
      return [
        { name, repetition_type, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        { name: 'element', repetition_type: 'REQUIRED', type: 'INT64' },
      ]
  }
}
