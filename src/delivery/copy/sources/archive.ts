/** Copies from an archive: the newest record of each measurement. */

import { wasmHash64 } from '../../../contract/hash64.js'
import type { BucketStorage } from '../../../storage/storage.js'
import { newestRecords } from '../../../targets/archive/read.js'
import type { CopySource } from '../copy-source.js'
import { lineSource, type LineSourceOptions, type ReadLines } from '../line-batches.js'

export type ArchiveSourceOptions = Pick<CopySource, 'id' | 'description'> &
  Pick<LineSourceOptions, 'findCommit'> & {
    readonly open: () => Promise<BucketStorage>
    readonly signal: AbortSignal
  }

export function archiveSource({ id, description, open, findCommit, signal }: ArchiveSourceOptions): CopySource {
  return {
    id,
    description,
    async read(filter, work) {
      const [objects, hash] = await Promise.all([open(), wasmHash64()])
      const read = async function* (): AsyncGenerator<ReadLines> {
        for await (const { kind, batch, rows, lineOf } of newestRecords(objects, { ...filter, hash, signal }))
          yield { batch, rows, lineOf, placeOf: row => `${kind.table} ${batch.ids[row]} in ${description}` }
      }
      try {
        // An archive grows, so the order of its records can be another one the next time.
        const options = { filter, findCommit, records: undefined, description, isRepeatable: false }
        return await work(lineSource(read, options))
      } finally {
        await objects.close()
      }
    },
  }
}
