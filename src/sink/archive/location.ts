/** What an archive is called: by state, the same every time, and by people. */

import { join, resolve } from 'node:path'
import type { StorageAddress } from '../../storage/address.js'

/** Without secrets. The region is left out: a bucket is in one. */
export function archiveLocation(address: StorageAddress): string {
  switch (address.kind) {
    case 'memory':
      return 'memory:'
    case 'local':
      return resolve(address.folder)
    case 's3': {
      const { bucket, prefix, endpoint } = address
      const at = endpoint === undefined ? '' : ` at ${new URL(endpoint).host}`
      return `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}${at}`
    }
  }
}

/** Of an archive in a bucket that lies in the state itself. */
export function stateArchiveId(bucket: string): string {
  return `archive:${bucket}`
}

/** Whether one of them is the other, or in it: then objects of both would lie among each other. */
export function locationsOverlap(one: StorageAddress, other: StorageAddress): boolean {
  const [a, b] = [pathOf(one), pathOf(other)]
  return a !== undefined && b !== undefined && (a.startsWith(b) || b.startsWith(a))
}

function pathOf(address: StorageAddress): string | undefined {
  if (address.kind === 'memory') return undefined
  if (address.kind === 'local') return join(resolve(address.folder), '/')
  const { endpoint = '', bucket, prefix } = address
  return `s3:${endpoint}/${[bucket, ...prefix.split('/').filter(part => part !== '')].join('/')}/`
}
