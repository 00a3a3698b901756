/** Checks the archive without writing to it. */

import { archiveConfig, type ArchiveFlags } from '../config/archive.js'
import { archiveLocation } from '../targets/archive/location.js'
import type { StorageAddress } from '../storage/address.js'
import { openStorage } from '../storage/open-storage.js'
import { broken, ok, type Check, type Group } from './finding.js'
import { roomIn, writable } from './room.js'

/** The archive's checks; empty when no archive is configured. */
export function archiveGroups(flags: ArchiveFlags): readonly Group[] {
  try {
    const address = archiveConfig(flags)
    if (address === undefined) return []
    const checks = address.kind === 'local' ? folderChecks(address.folder) : [reachable(address)]
    return [{ name: 'archive', target: `the archive in ${archiveLocation(address)}`, checks }]
  } catch (error) {
    return [broken('archive', 'address', error)]
  }
}

function folderChecks(folder: string): readonly Check[] {
  return [
    { name: 'writable', run: async () => [await writable(folder, [])] },
    { name: 'disk', run: async () => [await roomIn(folder, 0)] },
  ]
}

function reachable(address: StorageAddress): Check {
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
