/** Opens the source of an export: an archive, or the database or server that flags name. */

import {
  archiveRecords,
  withDatabaseRecords,
  type ExportFilter,
  type RecordSource,
} from '../../../delivery/export/record-source.js'
import { IngestError } from '../../../errors.js'
import { parseStorageAddress } from '../../../storage/address.js'
import { openBucketStorage } from '../../../storage/open-storage.js'
import { namedKinds, type TargetFlags } from '../../../targets/kinds.js'
import type { Context } from '../../context.js'
import { assertOneTarget } from '../../options/open-reader.js'
import { openDatabase } from '../../options/target-world.js'

export type SourceFlags = TargetFlags & { readonly fromArchive?: string }

type SourceOptions = { readonly filter: ExportFilter; readonly context: Context }

/** @param use gets the records, and the source in words */
export async function withSource(
  flags: SourceFlags,
  { filter, context }: SourceOptions,
  use: (source: RecordSource, description: string) => Promise<void>,
): Promise<void> {
  if (flags.fromArchive !== undefined) return withArchive(flags.fromArchive, { filter, context }, use)
  if (flags['server'] !== undefined) return withServer(flags, { filter, context }, use)
  const { session, description, close } = await openDatabase(flags, false, context)
  try {
    await withDatabaseRecords(session, { filter, signal: context.signal }, source => use(source, description))
  } finally {
    await close()
  }
}

type Use = Parameters<typeof withSource>[2]

async function withArchive(place: string, { filter, context }: SourceOptions, use: Use): Promise<void> {
  if (filter.since !== undefined || filter.until !== undefined)
    throw new IngestError('usage', 'an archive does not hold the times of commits', {
      hint: 'choose its records with --commit, --group or --kind',
    })
  const objects = await openBucketStorage(parseStorageAddress(place))
  try {
    await use(await archiveRecords(objects, { filter, signal: context.signal }), objects.description)
  } finally {
    await objects.close()
  }
}

async function withServer(flags: TargetFlags, { filter, context }: SourceOptions, use: Use): Promise<void> {
  assertOneTarget(flags)
  const [{ readServerConfig }, { serverRecords }] = await Promise.all([
    import('../../../targets/server/config.js'),
    import('../../../delivery/export/server-records.js'),
  ])
  const { env, signal } = context
  const source = await serverRecords({ ...(await readServerConfig(flags, env)), signal }, filter)
  try {
    await use(source, source.description)
  } finally {
    source.close()
  }
}

/** @throws {IngestError} `usage` for an archive and another source */
export function assertOneSource(flags: SourceFlags): void {
  const [other] = namedKinds(flags)
  if (flags.fromArchive === undefined || other === undefined) return
  throw new IngestError('usage', `--from-archive and --${other.address} are two sources`, { hint: 'give one of them' })
}
