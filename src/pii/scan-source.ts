/** Finds personal data in files: in the strings of lines that are JSON, and in the whole of every other line. */

import { CONTRACT } from '../contract/kinds.js'
import { lineBlocks } from '../source/lines.js'
import type { Source } from '../source/source.js'
import { redactedSample, type FoundData, type NamedText, type TextScanner } from './found-data.js'

type LineText = NamedText & {
  readonly line: number
  readonly column: number
  readonly pointer: string
  readonly kind: string
}

/** Reads plain, gzip and zstd files with flat memory. @param onLines called with the number of lines of each block */
export async function* scanSource(
  source: Source,
  scanner: TextScanner,
  onLines: (lines: number) => void,
): AsyncGenerator<FoundData> {
  let line = 0
  for await (const { bytes } of lineBlocks(await source.open())) {
    const lines = bytes.toString().split('\n').slice(0, -1)
    const texts = lines.flatMap((text, index) => textsOf(text, line + index + 1))
    line += lines.length
    onLines(lines.length)
    const found = await scanner.find(texts)
    for (const [index, text] of texts.entries())
      for (const finding of found[index]!) {
        const column = text.column + (text.pointer === '' ? finding.start : 0)
        yield {
          place: { source: source.name, line: text.line, column },
          ...{ field: text.pointer, rule: finding.rule, sample: redactedSample(text.text, finding) },
          isDimension: isDimension(text),
        }
      }
  }
}

function textsOf(line: string, number: number): readonly LineText[] {
  // A line of an indented document is often one member of an object.
  const value = parsed(line) ?? parsed(`{${line.replace(/,\s*$/, '')}}`)
  if (typeof value !== 'object' || value === null) return [{ ...NO_NAME, text: line, line: number, column: 1 }]
  const { kind } = value as { kind?: unknown }
  let from = 0
  return [...strings(value, '')].map(({ pointer, text }) => {
    // Strings are in the order of the line. An escape that JSON.stringify writes in another way leaves the place unknown.
    const at = line.indexOf(JSON.stringify(text), from)
    if (at !== -1) from = at
    const name = pointer.slice(pointer.lastIndexOf('/') + 1)
    return { pointer, name, text, line: number, column: (at === -1 ? from : at + 1) + 1, kind: String(kind) }
  })
}

const NO_NAME = { pointer: '', name: '', kind: '' }

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function* strings(value: unknown, pointer: string): Generator<{ readonly pointer: string; readonly text: string }> {
  if (typeof value === 'string') yield { pointer, text: value }
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) yield* strings(member, `${pointer}/${name}`)
}

function isDimension({ kind, pointer }: LineText): boolean {
  const fields = CONTRACT.kinds.find(one => one.kind === kind)?.fields ?? []
  return fields.some(({ name, dimension }) => dimension && pointer === `/${name}`)
}
