/** `export`: writes the newest record of each measurement. */

import { isFullSha } from '../../../contract/commit.js'
import { wasmHash64 } from '../../../contract/hash64.js'
import { EXIT, IngestError } from '../../../errors.js'
import { parseStorageAddress, type StorageAddress } from '../../../storage/address.js'
import { openBucketStorage } from '../../../storage/open-storage.js'
import { newestRecords } from '../../../targets/archive/read.js'
import type { Action, Context } from '../../context.js'
import { OutputFile } from '../../output/output-file.js'
import { plural } from '../../output/report.js'

export type ExportFlags = {
  readonly fromArchive?: string
  readonly commit?: string
  readonly format: 'jsonl'
  readonly output?: string
}

export const runExport: Action<ExportFlags> = async (_args, flags, context) => {
  const { commit, output, fromArchive } = flags
  if (fromArchive === undefined)
    throw new IngestError('usage', 'missing source', { hint: 'name an archive: --from-archive PLACE' })
  if (commit !== undefined && !isFullSha(commit))
    throw new IngestError('usage', `--commit ${commit} is not a full commit id`, { hint: 'git rev-parse prints it' })
  const address = parseStorageAddress(fromArchive)
  if (output === undefined) await exportTo(context.report, address, { commit, context })
  else await exportToFile(output, address, { commit, context })
  return EXIT.done
}

type Exporting = { readonly commit: string | undefined; readonly context: Context }

async function exportToFile(output: string, address: StorageAddress, options: Exporting): Promise<void> {
  const file = new OutputFile(output, { what: 'the records', inputs: [], failureCode: 'storage_failed' })
  try {
    const records = await exportTo(file, address, options)
    file.publish()
    options.context.report.verdict(true, 'exported', `${plural(records, 'record')} to ${output}`)
  } finally {
    file.discard()
  }
}

/**
 * @returns the number of records
 * @throws {IngestError} `no_input` when there are none, because the location is probably wrong
 */
async function exportTo(
  to: { raw(bytes: Uint8Array): void; readonly closed?: boolean },
  address: StorageAddress,
  { commit, context: { signal } }: Exporting,
): Promise<number> {
  const objects = await openBucketStorage(address)
  let exported = 0
  try {
    for await (const { records, bytes } of newestRecords(objects, { commit, hash: await wasmHash64(), signal })) {
      // The reader closed the pipe, as in `export … | head`: not an error.
      if (to.closed === true) break
      to.raw(bytes)
      exported += records
    }
  } finally {
    await objects.close()
  }
  if (exported > 0 || to.closed === true) return exported
  const what = commit === undefined ? 'no archived records' : `no archived records of ${commit}`
  throw new IngestError('no_input', `there are ${what} in ${objects.description}`, {
    hint: 'check the location that --from-archive names',
  })
}
