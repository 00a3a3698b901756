/** Reads the file that trials deliver, with the same checks as a push. */

import { runMeta } from '../../../commit/ci.js'
import type { Commit } from '../../../contract/commit.js'
import { wasmHash64 } from '../../../contract/hash64.js'
import { Notes } from '../../../source/rejection.js'
import { fileDelivery } from '../../../delivery/read-files.js'
import { linesOf } from '../../../delivery/rows.js'
import { IngestError } from '../../../errors.js'
import type { Delivery } from '../../../source/delivery.js'
import { inspectAll } from '../../../source/inspect-all.js'
import type { Source } from '../../../source/source.js'
import type { Trial } from '../../../state/trial.js'
import type { Context } from '../../context.js'

export type Sample = { readonly delivery: Delivery; readonly size: Trial['sample'] }

/** @throws {IngestError} `bad_data` if a line is rejected, `no_input` if the file has no records */
export async function readSample(source: Source, { signal, now, report }: Context): Promise<Sample> {
  const notes = new Notes()
  const [inspection] = await inspectAll([source], {
    onRejection: rejection => notes.reject(rejection),
    onWarning: () => undefined,
    signal,
  })
  for (const rejection of notes.rejections) report.rejection(rejection)
  const hint = `vortex-ingest validate ${source.name} lists every rejected line`
  if (notes.rejected > 0) throw new IngestError('bad_data', `${source.name} cannot be delivered`, { hint })
  const { commitSha, records } = inspection!
  if (commitSha === undefined) throw new IngestError('no_input', `${source.name} has no records`)
  const run = runMeta({ benchmarkId: 'tune', ci: undefined, now })
  const options = { run, hash: await wasmHash64(), signal, inspection: inspection! }
  const delivery = fileDelivery(source, { commit: anyCommit(commitSha), ...options })
  return { delivery, size: { records, bytes: await bytesOf(source, signal) } }
}

/** A commit with placeholder fields. They do not matter, because they are rolled back with the records. */
function anyCommit(sha: string): Commit {
  const [name, email] = ['vortex-ingest tune', '']
  const people = { author_name: name, author_email: email, committer_name: name, committer_email: email }
  return { sha, timestamp: '1970-01-01T00:00:00Z', message: name, tree_sha: '0'.repeat(40), url: '', ...people }
}

async function bytesOf(source: Source, signal: AbortSignal): Promise<number> {
  let bytes = 0
  for await (const block of linesOf(source, signal)) bytes += block.bytes.length
  return bytes
}
