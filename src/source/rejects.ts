/** Collects the rejected lines of a command and the reasons, and writes both into files. */

import { createHash } from 'node:crypto'
import type { RejectReason } from '../reports/records.js'
import { ByteSpool } from './byte-spool.js'
import { chunkReader } from './byte-reader.js'
import { lineBlocks } from './lines.js'
import { assertNewOrSame, discardStaged, publishStaged, stageFile } from './new-file.js'
import { acceptedSource, LineSet, splitLines, type SourcePart } from './rejected-lines.js'
import { reasonsPath, type Rejection } from './rejection.js'
import type { Source } from './source.js'

const LF = 0x0a

/** Rejected lines of several sources, byte for byte, and the reasons. */
export type RejectSet = {
  /** A hash of the content: the same lines of the same sources have the same id. */
  readonly id: string
  readonly rejected: number
  /** Names of the sources that the lines come from. */
  readonly sources: readonly string[]
  /** The lines. A line feed is added only between lines, where the last line of a source lacks it. */
  readonly lines: () => Iterable<Buffer>
  /** One line of JSON per rejection. */
  readonly reasons: () => AsyncIterable<Buffer>
}

/** Where the rejected lines of a command are. */
export type SavedRejects = {
  readonly rejected: number
  /** The id of the lines in the state and in the file with the reasons; undefined in a dry run. */
  readonly id: string | undefined
  readonly file: string | undefined
  readonly isInState: boolean
}

type SourceRejects = { readonly lines: LineSet; last: Rejection }

/** The rejections of one pass over some sources, which must have different names. Must be closed, because it may hold temporary files. */
export class RejectCollector {
  readonly #sources = new Map<string, SourceRejects>()
  readonly #rejections = new ByteSpool()
  readonly #collected: ByteSpool[] = []
  #rejected = 0

  /** Number of different lines that were rejected. */
  get rejected(): number {
    return this.#rejected
  }

  note(rejection: Rejection): void {
    const { source, line } = rejection
    const known = this.#sources.get(source) ?? { lines: new LineSet(), last: rejection }
    this.#sources.set(source, known)
    this.#rejected -= known.lines.size
    known.lines.add(line)
    this.#rejected += known.lines.size
    if (line > known.last.line) known.last = rejection
    this.#rejections.append(`${JSON.stringify(rejection)}\n`)
  }

  /** The last rejected line of a source. */
  lastOf(source: string): Rejection | undefined {
    return this.#sources.get(source)?.last
  }

  linesOf({ name }: Source): LineSet {
    return this.#sources.get(name)?.lines ?? new LineSet()
  }

  /** The part with its rejected lines as blank lines. */
  accepted(part: SourcePart): Source {
    const lines = this.linesOf(part.source)
    return lines.size === 0 ? part.source : acceptedSource(part, lines)
  }

  /** Frees the temporary files. What was collected cannot be read any more. */
  close(): void {
    for (const spool of [this.#rejections, ...this.#collected]) spool.close()
  }

  /** Reads the rejected lines. @param parts the parts of sources in which lines were rejected, and perhaps others */
  async collect(parts: readonly SourcePart[], commitSha = ''): Promise<RejectSet> {
    const lines = new ByteSpool()
    this.#collected.push(lines)
    const hash = createHash('sha256').update(`${commitSha}\n`)
    const sources: string[] = []
    /** For each source, the number of lines that precede its lines in the result. */
    const linesBefore = new Map<string, number>()
    let last = LF
    for (const part of parts) {
      const { name } = part.source
      const rejected = this.linesOf(part.source)
      if (rejected.size === 0) continue
      linesBefore.set(
        name,
        sources.reduce((all, one) => all + this.#sources.get(one)!.lines.size, 0),
      )
      sources.push(name)
      hash.update(`${name}\n`)
      if (last !== LF) lines.append('\n')
      for await (const { isRejected, bytes } of splitLines(part, rejected))
        if (isRejected) {
          lines.append(bytes)
          hash.update(bytes)
          last = bytes[bytes.length - 1]!
        }
    }
    const id = hash.digest('hex').slice(0, 20)
    return {
      ...{ id, rejected: this.#rejected, sources, lines: () => lines.chunks() },
      reasons: () => this.#reasons(id, linesBefore),
    }
  }

  async *#reasons(set: string, linesBefore: ReadonlyMap<string, number>): AsyncGenerator<Buffer> {
    const ranks = new Map([...this.#sources].map(([name, { lines }]) => [name, createRank(lines)]))
    const rejections = chunkReader(inTurn(this.#rejections.chunks()), () => Promise.resolve())
    for await (const { bytes } of lineBlocks(rejections)) {
      const texts = bytes.toString().trimEnd().split('\n')
      const reasons = texts.map((text): RejectReason => {
        const rejection = JSON.parse(text) as Rejection
        const { source, line } = rejection
        return { rejects_line: (linesBefore.get(source) ?? 0) + ranks.get(source)!(line), set, ...rejection }
      })
      yield Buffer.from(reasons.map(reason => `${JSON.stringify(reason)}\n`).join(''))
    }
  }
}

async function* inTurn(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks
}

/** Returns a function that counts the lines of a set up to a line of the set. It is fast for lines in ascending order. */
function createRank(lines: LineSet): (line: number) => number {
  let [at, rank] = [0, 0]
  return line => {
    if (line < at) [at, rank] = [0, 0]
    while (at < line) if (lines.has(++at)) rank++
    return rank
  }
}

/**
 * Writes the lines to a file and the reasons beside it, and syncs both. Both files are new, or have the same content already.
 * @throws {IngestError} `already_exists` when a file holds something else; then nothing is written
 */
export async function writeRejectFiles(
  path: string,
  { lines, reasons }: { readonly lines: AnyChunks; readonly reasons: AnyChunks },
): Promise<void> {
  const stagedLines = await stageFile(path, lines)
  try {
    const stagedReasons = await stageFile(reasonsPath(path), reasons)
    try {
      // Otherwise the reasons would lie beside another file.
      await assertNewOrSame(stagedLines)
      await publishStaged(stagedReasons)
    } finally {
      await discardStaged(stagedReasons)
    }
    await publishStaged(stagedLines)
  } finally {
    await discardStaged(stagedLines)
  }
}

type AnyChunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>
