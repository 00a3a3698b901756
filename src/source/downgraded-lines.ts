/** Rewrites a delivery's lines for a target of an older contract version. */

import { kindIn, type FieldType, type Kind } from '../contract/kinds.js'
import type { LineBlock } from './lines.js'
import { ABSENT, STRIDE, type RecordBatch } from './record-batch.js'
import { readRecords } from './records.js'
import { sentCounts, unknownDimension, type Downgrade } from './downgrade.js'
import { lineLocation, type Delivery } from './delivery.js'

/**
 * The delivery without the fields and records that its target cannot hold. A record that is not sent becomes a blank line, so
 * that line numbers still match the file.
 */
export function downgradedDelivery(delivery: Delivery, downgrade: Downgrade): Delivery {
  return {
    ...delivery,
    counts: sentCounts(delivery.counts, downgrade),
    lines: () => downgradedLines(delivery, downgrade.version),
    locateLine: async line => ({ ...(await lineLocation(delivery, line, 0)), byte: undefined }),
  }
}

async function* downgradedLines({ source, lines }: Delivery, version: number): AsyncGenerator<LineBlock> {
  let firstByte = 0
  let linesBefore = 0
  for await (const { batch, lines: linesSoFar } of readRecords(lines(), { source })) {
    const texts = new Array<string>(linesSoFar - linesBefore).fill('')
    for (let row = 0; row < batch.count; row++)
      texts[batch.lines[row]! - linesBefore - 1] = formatLine(batch, row, version) ?? ''
    const bytes = Buffer.from(texts.map(text => `${text}\n`).join(''))
    yield { bytes, firstByte, tooLong: false }
    firstByte += bytes.length
    linesBefore = linesSoFar
  }
}

/** The record as JSON with the fields of `version`; undefined for a record that is not sent. */
function formatLine(batch: RecordBatch, row: number, version: number): string | undefined {
  return unknownDimension(batch, row, version) === undefined ? formatRecord(batch, row, { version }) : undefined
}

export type FormatOptions = {
  /** The contract version whose fields are written. */
  readonly version: number
  /** Other texts for fields of the type `str`, by the index of the field. */
  readonly replaced?: ReadonlyMap<number, string>
}

/** A record as JSON, without a line feed, with every digit unchanged. */
export function formatRecord(batch: RecordBatch, row: number, { version, replaced }: FormatOptions): string {
  const kind = batch.kindOf(row)
  const fields = kindIn(version, kind).fields.flatMap(({ name, type }) => {
    const index = fieldIndex(kind, name)
    if (batch.starts[row * STRIDE + index] === ABSENT) return []
    return [`${JSON.stringify(name)}:${formatToken(replaced?.get(index) ?? batch.text(row, index) ?? '', type)}`]
  })
  return `{"kind":${JSON.stringify(kind.kind)},${fields.join(',')}}`
}

function fieldIndex({ fields }: Kind, name: string): number {
  return fields.findIndex(field => field.name === name)
}

function formatToken(text: string, type: FieldType): string {
  if (type === 'str') return JSON.stringify(text)
  return type === '[i64]' ? `[${text}]` : text
}
