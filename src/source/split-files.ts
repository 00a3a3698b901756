/** Writes the accepted and the rejected lines of sources into files of their own. */

import { resolve } from 'node:path'
import { IngestError } from '../errors.js'
import { assertNewOrSame, assertNotRead, discardStaged, publishStaged, stageFile } from './new-file.js'
import { splitLines, type SourcePart } from './rejected-lines.js'
import { reasonsPath } from './rejection.js'
import { writeRejectFiles, type RejectCollector, type SavedRejects } from './rejects.js'
import type { Source } from './source.js'

export type SplitFiles = {
  /** A new file for the accepted lines, byte for byte. */
  readonly accepted?: string | undefined
  /** A new file for the rejected lines, byte for byte. The reasons are in `FILE.reasons.jsonl`. Not written when there are none. */
  readonly rejects?: string | undefined
}

/** @throws {IngestError} `usage` when a file is an input, or two files are the same */
export function assertSplitFits({ accepted, rejects }: SplitFiles, sources: readonly Source[]): void {
  const outputs = [...(accepted === undefined ? [] : [accepted]), ...rejectPaths(rejects)]
  if (new Set(outputs.map(path => resolve(path))).size < outputs.length)
    throw new IngestError('usage', `${accepted} cannot hold both the accepted and the rejected lines`, {
      hint: 'name two files',
    })
  assertNotRead(
    outputs,
    sources.map(({ name }) => name),
  )
}

function rejectPaths(rejects: string | undefined): readonly string[] {
  return rejects === undefined ? [] : [rejects, reasonsPath(rejects)]
}

/** @returns where the rejected lines are; undefined when they were not written */
export async function writeSplit(
  { accepted, rejects }: SplitFiles,
  sources: readonly Source[],
  collector: RejectCollector,
): Promise<SavedRejects | undefined> {
  const parts = sources.map(source => ({ source, linesBefore: 0 }))
  const staged = accepted === undefined ? undefined : await stageFile(accepted, acceptedLines(parts, collector))
  try {
    // Otherwise the rejected lines would be written without the accepted ones.
    if (staged !== undefined) await assertNewOrSame(staged)
    const saved = rejects === undefined ? undefined : await writeRejects(rejects, parts, collector)
    if (staged !== undefined) await publishStaged(staged)
    return saved
  } finally {
    if (staged !== undefined) await discardStaged(staged)
  }
}

async function writeRejects(
  file: string,
  parts: readonly SourcePart[],
  collector: RejectCollector,
): Promise<SavedRejects | undefined> {
  const { rejected } = collector
  if (rejected === 0) return undefined
  const { id, lines, reasons } = await collector.collect(parts)
  await writeRejectFiles(file, { lines: lines(), reasons: reasons() })
  return { rejected, id, file, isInState: false }
}

const LF = 0x0a

/** The accepted lines of all parts. A line feed is added between parts where the first has none at its end. */
async function* acceptedLines(parts: readonly SourcePart[], collector: RejectCollector): AsyncGenerator<Buffer> {
  let last = LF
  for (const part of parts) {
    let isFirst = true
    for await (const { isRejected, bytes } of splitLines(part, collector.linesOf(part.source))) {
      if (isRejected) continue
      if (isFirst && last !== LF) yield Buffer.from('\n')
      yield bytes
      last = bytes[bytes.length - 1]!
      isFirst = false
    }
  }
}
