/** The archive target: stores deliveries from the outbox as objects `<table>/<commit>/<since>-<last>.jsonl.gz`. */

import { IngestError } from '../../errors.js'
import type { StorageAddress } from '../../storage/address.js'
import { openBucketStorage } from '../../storage/open-bucket-storage.js'
import type { BucketStorage, BucketStorageOptions } from '../../storage/bucket-storage.js'
import { assertCounts, sumReceipt, type Delivery, type KindReceipt } from '../../source/delivery.js'
import { type Sink, type SinkOpener } from '../sink.js'
import { packByKind, type Packed } from './pack.js'
import { archiveId, describeArchive, stateArchiveId } from './location.js'
import { store } from './store.js'

export function archiveSink(address: StorageAddress, options: BucketStorageOptions = {}): SinkOpener {
  return {
    id: archiveId(address),
    description: describeArchive(address),
    // Opening a folder takes no time, so there is nothing to overlap.
    opensEarly: address.kind === 's3',
    isAppendOnly: true,
    open: async () => archiveIn(await openBucketStorage(address, options)),
  }
}

/**
 * An archive in a bucket of the state.
 * @param open opens the bucket. The sink closes the objects that it returns
 */
export function stateArchiveSink(bucket: string, open: () => Promise<BucketStorage>): SinkOpener {
  return {
    id: stateArchiveId(bucket),
    description: `the archive in the bucket ${bucket} of the state`,
    opensEarly: false,
    isAppendOnly: true,
    open: async () => archiveIn(await open()),
  }
}

/**
 * A sink that writes one object per table and delivery. Each object is compressed in memory before it is written. It holds up
 * to half a million records, or one file's records if that file has more. A range that is delivered again finds its own objects
 * and counts as updated, so a retry completes a delivery that was interrupted between two tables.
 */
export function archiveIn(objects: BucketStorage): Sink {
  return {
    async write(delivery) {
      const packs = await packByKind(delivery.lines(), delivery.source)
      assertCounts(delivery, kind => packs.find(pack => pack.kind.kind === kind)?.records ?? 0)
      await delivery.assertUnchanged()
      const kinds: KindReceipt[] = []
      for (const pack of packs) kinds.push(await writeTable(objects, delivery, pack))
      return sumReceipt(kinds)
    },
    close: () => objects.close(),
  }
}

async function writeTable(
  objects: BucketStorage,
  delivery: Delivery,
  { kind, records, body }: Packed,
): Promise<KindReceipt> {
  const isNew = await store(objects, `${kind.table}/${delivery.commit.sha}/${rangeName(delivery)}.jsonl.gz`, body)
  const updated = isNew ? 0 : records
  return { kind: kind.kind, records, inserted: records - updated, updated, unchanged: updated }
}

/** Number of digits of the largest safe integer. Numbers in keys are padded to it, so that keys sort like the numbers. */
const DIGITS = String(Number.MAX_SAFE_INTEGER).length

function rangeName({ range }: Delivery): string {
  if (range === undefined) throw new IngestError('usage', 'only records from an outbox can be archived')
  return [range.since, range.until].map(number => String(number).padStart(DIGITS, '0')).join('-')
}
