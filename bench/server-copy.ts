/** The upper limit for a bulk push: the server loads prepared files by itself and runs the same statements as a push. */

import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { wasmHash64 } from '../src/contract/hash64.js'
import type { Kind } from '../src/contract/kinds.js'
import { copyChunks } from '../src/database/copy-text.js'
import { commitStatements } from '../src/database/commit-row.js'
import type { SqlSession } from '../src/database/session.js'
import { beginStaging, insertOrUpsertStaged, stagingColumns, stagingTable } from '../src/database/tables.js'
import { createIdentifier } from '../src/source/identify.js'
import { lineBlocks } from '../src/source/lines.js'
import type { RecordBatch } from '../src/source/record-batch.js'
import { readRecords } from '../src/source/records.js'
import { fileSource } from '../src/source/source.js'
import { COMMIT } from './inputs.js'
import type { Sample } from './measure.js'

/** Path of the COPY text file of each kind. */
export type CopyFiles = ReadonlyMap<Kind, string>

/** @param folder a folder that the database server may read */
export async function writeCopyFiles(input: string, folder: string): Promise<CopyFiles> {
  const files = new Map<Kind, FileHandle>()
  const paths = new Map<Kind, string>()
  try {
    for await (const { kind, text } of copyChunks(identified(input))) {
      const path = join(folder, `${kind.table}.copy`)
      const file = files.get(kind) ?? (await open(path, 'w', 0o644))
      files.set(kind, file)
      paths.set(kind, path)
      await file.writeFile(text)
    }
  } finally {
    for (const file of files.values()) await file.close()
  }
  return paths
}

/** Runs the same transaction as a push, without connecting, so that the client does nothing but wait. */
export async function copyOnServer(session: SqlSession, files: CopyFiles): Promise<Sample> {
  const started = performance.now()
  const kinds = [...files.keys()]
  await session.execute(beginStaging(kinds))
  for (const [kind, path] of files)
    await session.execute(`COPY ${stagingTable(kind)} (${stagingColumns(kind).join(', ')}) FROM '${path}'`)
  await session.pipeline(commitStatements(COMMIT).before)
  for (const kind of kinds) await session.query(insertOrUpsertStaged(kind), [COMMIT.sha, COMMIT.timestamp])
  await session.execute('COMMIT')
  return { wallMs: performance.now() - started }
}

async function* identified(input: string): AsyncGenerator<RecordBatch> {
  const identify = createIdentifier(await wasmHash64())
  const source = fileSource(input)
  for await (const { batch } of readRecords(lineBlocks(await source.open()), { source: input })) {
    identify(batch)
    yield batch
  }
}
