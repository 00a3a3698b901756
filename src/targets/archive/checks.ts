/** Checks an archive without writing to it. */

import { ok, type Check, type CheckGroup } from '../../doctor/finding.js'
import { checkFreeSpace, checkWritable } from '../../doctor/folder.js'
import type { StorageAddress } from '../../storage/address.js'
import { openStorage } from '../../storage/open-storage.js'
import type { StateBuckets, TargetWorld } from '../kind.js'
import { archivePlace, describeArchiveTarget } from './config.js'
import type { ArchiveOptions } from './options.js'

export function archiveChecks(options: ArchiveOptions, { buckets }: TargetWorld): Omit<CheckGroup, 'name'> {
  const target = describeArchiveTarget(options)
  const { bucket } = options
  if (bucket !== undefined && buckets !== undefined) return { target, checks: [bucketCheck(bucket, buckets)] }
  const address = archivePlace(options)
  return { target, checks: address.kind === 'local' ? folderChecks(address.folder) : [listingCheck(address)] }
}

/** Checks that a bucket answers, by reading an object that never exists. */
function bucketCheck(bucket: string, buckets: StateBuckets): Check {
  const run: Check['run'] = async () => {
    const objects = await buckets.open(bucket)
    try {
      await objects.get('vortex-ingest-check')
      return [ok('it can be read')]
    } finally {
      await objects.close()
    }
  }
  return { name: 'bucket', run }
}

function folderChecks(folder: string): readonly Check[] {
  return [
    { name: 'writable', run: async () => [await checkWritable(folder, [])] },
    { name: 'disk', run: async () => [await checkFreeSpace(folder, 0)] },
  ]
}

function listingCheck(address: StorageAddress): Check {
  const run: Check['run'] = async () => {
    const storage = await openStorage(address)
    try {
      await storage.list('', { limit: 1 })
      return [ok('it can be listed; whether it can be written shows when it is')]
    } finally {
      await storage.close()
    }
  }
  return { name: 'reachable', run }
}
