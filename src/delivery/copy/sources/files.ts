/** Copies from files of records, such as those that `export` writes. */

import { resolve } from 'node:path'
import { IngestError } from '../../../errors.js'
import { openSources, type InputOptions } from '../../../source/inputs.js'
import { lineBlocks } from '../../../source/lines.js'
import { recordLines } from '../../../source/record-lines.js'
import type { Rejection } from '../../../source/rejection.js'
import type { Source } from '../../../source/source.js'
import { CORRECT_HINT, type CopySource } from '../copy-source.js'
import { lineSource, type LineSourceOptions, type ReadLines } from '../line-batches.js'

export type FileSourceOptions = Pick<LineSourceOptions, 'findCommit'> &
  Pick<InputOptions, 'watch'> & { readonly signal: AbortSignal }

/** A file of records of any number of commits; plain, gzip or zstd. */
export function recordFileSource(path: string, { findCommit, watch, signal }: FileSourceOptions): CopySource {
  return {
    id: `file:${resolve(path)}`,
    description: path,
    async read(filter, work) {
      const { sources, release } = await openSources([path], { rereadable: true, watch, signal })
      const read = async function* (): AsyncGenerator<ReadLines> {
        for (const source of sources) yield* linesOfSource(source, signal)
      }
      try {
        const options = { filter, findCommit, records: undefined, description: path, isRepeatable: true }
        return await work(lineSource(read, options))
      } finally {
        await release()
      }
    },
  }
}

async function* linesOfSource(source: Source, signal: AbortSignal): AsyncGenerator<ReadLines> {
  const { name } = source
  const onRejection = ({ line, message }: Rejection): IngestError =>
    new IngestError('bad_data', `${name}:${line}: ${message}`, { hint: CORRECT_HINT })
  for await (const { batch, lineOf } of recordLines(lineBlocks(await source.open()), { source: name, onRejection })) {
    signal.throwIfAborted()
    const rows = Array.from({ length: batch.count }, (_, row) => row)
    yield { batch, rows, lineOf, placeOf: row => `${name}:${batch.lines[row]}` }
  }
}
