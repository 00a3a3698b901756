/** Rewrites text fields of records that are no dimensions, and leaves every other byte as it is. */

import { CONTRACT, SCHEMA_VERSION } from '../contract/kinds.js'
import { formatRecord } from '../source/downgraded-lines.js'
import type { LineBlock } from '../source/lines.js'
import type { RecordBatch } from '../source/record-batch.js'
import { readRecords } from '../source/records.js'

export type RewriteOptions = {
  readonly source: string
  /** Returns the new text for each text. */
  readonly rewrite: (texts: readonly string[]) => Promise<readonly string[]>
}

/** For each kind, the indices of its text fields that are no dimensions. */
const VALUE_TEXTS = CONTRACT.kinds.map(({ fields }) =>
  fields.flatMap(({ type, dimension }, index) => (type === 'str' && !dimension ? [index] : [])),
)

const LF = 0x0a

/**
 * A line whose texts stay the same keeps its bytes, and every line keeps its number.
 * @param blocks lines that were validated before
 */
export async function* rewriteLines(
  blocks: AsyncIterable<LineBlock>,
  { source, rewrite }: RewriteOptions,
): AsyncGenerator<LineBlock> {
  let block: LineBlock | undefined
  const seen = async function* (): AsyncGenerator<LineBlock> {
    for await (const next of blocks) yield (block = next)
  }
  let firstByte = 0
  for await (const { batch } of readRecords(seen(), { source })) {
    const bytes = spliced(block!, batch, await changedRecords(batch, rewrite))
    yield { ...block!, bytes, firstByte }
    firstByte += bytes.length
  }
}

/** @param changed the new lines by row, in order */
function spliced({ bytes, firstByte }: LineBlock, batch: RecordBatch, changed: ReadonlyMap<number, string>): Buffer {
  if (changed.size === 0) return bytes
  const parts: Buffer[] = []
  let end = 0
  for (const [row, line] of changed) {
    const start = batch.bytes[row]! - firstByte
    parts.push(bytes.subarray(end, start), Buffer.from(line))
    end = bytes.indexOf(LF, start)
  }
  return Buffer.concat([...parts, bytes.subarray(end)])
}

async function changedRecords(
  batch: RecordBatch,
  rewrite: RewriteOptions['rewrite'],
): Promise<ReadonlyMap<number, string>> {
  const texts = [...new Set([...valueTexts(batch)].map(({ text }) => text))]
  const rewritten = await rewrite(texts)
  const changes = new Map(
    texts.flatMap((text, index) => (text === rewritten[index] ? [] : [[text, rewritten[index]!]])),
  )
  const replaced = new Map<number, Map<number, string>>()
  if (changes.size === 0) return new Map()
  for (const { row, field, text } of valueTexts(batch)) {
    const change = changes.get(text)
    if (change !== undefined) replaced.set(row, (replaced.get(row) ?? new Map<number, string>()).set(field, change))
  }
  const version = SCHEMA_VERSION
  return new Map([...replaced].map(([row, texts]) => [row, formatRecord(batch, row, { version, replaced: texts })]))
}

function* valueTexts(batch: RecordBatch): Generator<{ row: number; field: number; text: string }> {
  for (let row = 0; row < batch.count; row++)
    for (const field of VALUE_TEXTS[batch.kinds[row]!]!) {
      const text = batch.text(row, field)
      if (text !== undefined) yield { row, field, text }
    }
}
