/** Copies from a Postgres or an embedded database. */

import {
  countStoredRecords,
  readColumns,
  readCommitPages,
  readRecordPages,
} from '../../../database/queries/stored-records.js'
import { assertReadableColumns } from '../../../database/readable-types.js'
import type { RecordReader } from '../../../database/record-reader.js'
import { inSnapshot, type SqlSession } from '../../../database/session.js'
import type { CopyFilter, CopySource } from '../copy-source.js'
import { rowSource } from '../row-batches.js'

export type DatabaseSourceOptions = Pick<CopySource, 'id' | 'description'> & {
  readonly open: () => Promise<{ readonly session: SqlSession; readonly close: () => Promise<void> }>
}

/** A database whose tables are those of the contract. All of its content is read in one snapshot. */
export function databaseSource({ id, description, open }: DatabaseSourceOptions): CopySource {
  return {
    id,
    description,
    async read(filter, work) {
      const { session, close } = await open()
      try {
        return await inSnapshot(session, async () => {
          assertReadableColumns('Postgres', await readColumns(session))
          return work(await rowSource(recordReader(session, filter), { ...filter, description }))
        })
      } finally {
        await close()
      }
    },
  }
}

function recordReader(session: SqlSession, { since, until }: CopyFilter): RecordReader {
  const filter = { since, until }
  return {
    commits: afterCommit => readCommitPages(session, { filter, afterCommit }),
    records: (kind, afterCommit) => readRecordPages(session, kind, { filter, afterCommit }),
    count: kind => countStoredRecords(session, kind, { filter }),
  }
}
