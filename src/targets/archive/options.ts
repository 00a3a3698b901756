/** The options of an archive, and its location. */

import { join, resolve } from 'node:path'
import type { OptionValues } from '../../config/option.js'
import { PII } from '../shared-options.js'
import type { StorageAddress } from '../../storage/address.js'

export const ARCHIVE_OPTIONS = {
  archive: {
    value: '<place>',
    help: 'with --state: also store the original lines, by table and commit, in a folder or s3://bucket/prefix',
  },
} as const

export const ARCHIVE_REGISTRATION = {
  bucket: { value: '<name>', help: 'bucket that an archive writes to, as `buckets ls` shows it' },
  pii: PII,
} as const

/** `state` is the address of the state that the records come from. */
export type ArchiveOptions = OptionValues<typeof ARCHIVE_OPTIONS & typeof ARCHIVE_REGISTRATION> & {
  readonly state?: string | undefined
}

/**
 * The location of an archive, for its target id and for messages. Contains no secrets, and no region because a bucket is in
 * exactly one.
 */
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

/** The target id of an archive outside a state. */
export function archiveId(address: StorageAddress): string {
  return `archive:${archiveLocation(address)}`
}

export function describeArchive(address: StorageAddress): string {
  return `the archive in ${address.kind === 'local' ? address.folder : archiveLocation(address)}`
}

/** The target id of an archive in a bucket of the state. */
export function stateArchiveId(bucket: string): string {
  return `archive:${bucket}`
}

/** Whether two locations are equal or one contains the other, so that their objects would be mixed. */
export function locationsOverlap(first: StorageAddress, second: StorageAddress): boolean {
  const [a, b] = [archivePath(first), archivePath(second)]
  return a !== undefined && b !== undefined && (a.startsWith(b) || b.startsWith(a))
}

function archivePath(address: StorageAddress): string | undefined {
  if (address.kind === 'memory') return undefined
  if (address.kind === 'local') return join(resolve(address.folder), '/')
  const { endpoint = '', bucket, prefix } = address
  return `s3:${endpoint}/${[bucket, ...prefix.split('/').filter(part => part !== '')].join('/')}/`
}
