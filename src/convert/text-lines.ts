/** Reads a text line by line with flat memory. */

import { isUtf8 } from 'node:buffer'
import { IngestError } from '../errors.js'
import { lineBlocks } from '../source/lines.js'
import type { ConvertInput } from './benchmark.js'

export type TextLine = { readonly text: string; readonly line: number }

/**
 * Yields the lines without their line feeds, and closes the reader.
 * @throws {IngestError} `bad_data` when the text is not UTF-8 or a line exceeds the limit of records
 */
export async function* textLines({ name, reader }: Pick<ConvertInput, 'name' | 'reader'>): AsyncGenerator<TextLine> {
  let line = 0
  for await (const { bytes, tooLong } of lineBlocks(reader)) {
    if (tooLong) throw new IngestError('bad_data', `${name}:${line + 1}: the line is longer than 16 MiB`)
    if (!isUtf8(bytes)) throw new IngestError('bad_data', `${name}:${line + 1 + goodLines(bytes)}: not valid UTF-8`)
    const lines = bytes.toString('utf8').split('\n')
    lines.pop()
    for (const text of lines) yield { text: text.endsWith('\r') ? text.slice(0, -1) : text, line: ++line }
  }
}

/** The number of lines before the first that is not UTF-8. */
function goodLines(bytes: Buffer): number {
  for (let start = 0, lines = 0; ; lines++) {
    const end = bytes.indexOf('\n', start) + 1
    if (end === 0 || !isUtf8(bytes.subarray(start, end))) return lines
    start = end
  }
}
