/** The keys of archive objects, `<table>/<commit>/<since>-<last>` with the extension of their format, and their order. */

import { IngestError } from '../../errors.js'
import type { OutboxDelivery } from '../../source/delivery.js'
import type { ArchiveFormat } from './options.js'

export type ArchiveObject = {
  readonly key: string
  readonly commit: string
  readonly since: number
  readonly last: number
}

/** Number of digits of the largest safe integer. Numbers in keys are padded to it, so that they sort like numbers. */
const DIGITS = String(Number.MAX_SAFE_INTEGER).length
const EXTENSIONS: Readonly<Record<ArchiveFormat, string>> = { jsonl: 'jsonl.gz', parquet: 'parquet' }
const KEY = new RegExp(`^[^/]+/([^/]+)/(\\d{${DIGITS}})-(\\d{${DIGITS}})\\.(?:jsonl\\.gz|parquet)$`)

export function archiveKey(
  table: string,
  { commit, range }: Pick<OutboxDelivery, 'commit' | 'range'>,
  format: ArchiveFormat = 'jsonl',
): string {
  const [since, last] = [range.since, range.until].map(number => String(number).padStart(DIGITS, '0'))
  return `${table}/${commit.sha}/${since}-${last}.${EXTENSIONS[format]}`
}

/** @throws {IngestError} `bad_data` for another name, because an object that is passed over may hold the newest records */
export function parseArchiveKey(key: string, place: string): ArchiveObject {
  const [, commit, since, last] = KEY.exec(key) ?? []
  if (commit !== undefined) return { key, commit, since: Number(since), last: Number(last) }
  const hint = 'move it away, or read the archive with the version of vortex-ingest that wrote it'
  throw new IngestError('bad_data', `${key} in ${place} is not named like an object of an archive`, { hint })
}

/**
 * Sorts the objects of a commit so that the last record of each measurement is the newest. An object holds every record
 * of its range that the outbox still had, so the newest record is in the objects that end at or after it. Where an object
 * begins says nothing: after a full refresh one range may contain others.
 */
export function inArchiveOrder(objects: readonly ArchiveObject[]): readonly ArchiveObject[] {
  return [...objects].sort((left, right) => left.last - right.last || left.since - right.since)
}
