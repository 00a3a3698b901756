/** Copies from another server, commit by commit through its read API. */

import type { RecordReader } from '../../../database/record-reader.js'
import { describeServer } from '../../../http/address.js'
import { listServerCommits, ROWS_PER_PAGE, wholeCommit } from '../../export/server-records.js'
import { openReadApi, type ReadApi, type ReadApiOptions } from '../../read-api.js'
import type { CopyFilter, CopySource } from '../copy-source.js'
import { rowSource } from '../row-batches.js'

/** A server has no snapshots: records of a push that runs at the same time may be missing. */
export function serverSource(id: string, options: ReadApiOptions): CopySource {
  const description = describeServer(options.address.base)
  return {
    id,
    description,
    async read(filter, work) {
      const api = await openReadApi(options)
      try {
        return await work(await rowSource(await recordReader(api, filter), { ...filter, description }))
      } finally {
        api.close()
      }
    },
  }
}

async function recordReader(api: ReadApi, filter: CopyFilter): Promise<RecordReader> {
  const shas = (await listServerCommits(api, filter)).map(({ sha }) => sha).sort()
  const shasAfter = (commit = ''): readonly string[] => shas.filter(sha => sha > commit)
  return {
    async *commits(afterCommit) {
      // A list of commits shortens their messages.
      for (const sha of shasAfter(afterCommit)) yield [await wholeCommit(api, sha)].flatMap(commit => commit ?? [])
    },
    async *records(kind, afterCommit) {
      for (const sha of shasAfter(afterCommit))
        yield await api.allMeasurements(kind, `commit=${sha}&limit=${ROWS_PER_PAGE}`)
    },
    count: async () => undefined,
  }
}
