/** Interprets the options of an archive: a place beside a state, or a bucket of the state. */

import { IngestError } from '../../errors.js'
import { BUILT_IN } from '../../state/buckets.js'
import { parseStorageAddress, type StorageAddress } from '../../storage/address.js'
import type { TargetWorld } from '../kind.js'
import type { SinkOpener } from '../sink.js'
import { archiveLocation, locationsOverlap, stateArchiveId, type ArchiveOptions } from './options.js'

/**
 * The place of an archive that a flag names.
 * @throws {IngestError} `usage` without a state, or when archive and state overlap
 */
export function archivePlace({ archive = '', state }: ArchiveOptions): StorageAddress {
  if (state === undefined) {
    const hint = 'give --state DIR, too: an archive takes what the outbox there has numbered'
    throw new IngestError('usage', '--archive requires --state', { hint })
  }
  const address = parseStorageAddress(archive)
  if (address.kind === 'memory')
    throw new IngestError('usage', '--archive memory: would be gone with the process', {
      hint: 'name a folder or s3://',
    })
  if (locationsOverlap(address, parseStorageAddress(state)))
    throw new IngestError('usage', '--archive and --state name the same place, or one in the other', {
      hint: 'give each a place of its own',
    })
  return address
}

/**
 * The place of a bucket outside the state.
 * @throws {IngestError} `usage` for a bucket in memory and for one that does not exist
 */
function bucketPlace(bucket: string, { buckets }: TargetWorld): StorageAddress {
  const root = buckets?.root(bucket)
  const address = root === undefined ? undefined : parseStorageAddress(root)
  if (address !== undefined && address.kind !== 'memory') return address
  const hint = 'add one for it: vortex-ingest buckets add NAME --root DIR, or --root s3://BUCKET/PREFIX'
  const message = `an archive takes primary, rescue, or a folder or S3 bucket that was added, ${bucket} is none`
  throw new IngestError('usage', message, { hint })
}

export function describeArchiveTarget(options: ArchiveOptions): string {
  const { bucket } = options
  if (bucket !== undefined) return `the archive in the bucket ${bucket}`
  return `the archive in ${archiveLocation(archivePlace(options))}`
}

/**
 * The id of an archive. Buckets inside the state are identified by name, because watermarks and archive are then in the
 * same state.
 */
export async function archiveTargetId(options: ArchiveOptions, world: TargetWorld): Promise<string> {
  const { bucket } = options
  if (bucket === undefined) return `archive:${archiveLocation(archivePlace(options))}`
  return BUILT_IN.includes(bucket) ? stateArchiveId(bucket) : `archive:${archiveLocation(bucketPlace(bucket, world))}`
}

export async function openArchive(options: ArchiveOptions, world: TargetWorld): Promise<SinkOpener> {
  const { bucket, archiveFormat: format } = options
  const { buckets } = world
  const { archiveSink, stateArchiveSink } = await import('./sink.js')
  if (bucket === undefined) return archiveSink(archivePlace(options), { format })
  if (!BUILT_IN.includes(bucket) || buckets === undefined)
    return archiveSink(bucketPlace(bucket, world), { mustExist: true, format })
  return stateArchiveSink(bucket, () => buckets.open(bucket), format)
}
