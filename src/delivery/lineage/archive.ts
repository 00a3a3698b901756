/** Reads deliveries from an archive. The objects of one range are one delivery. */

import { wasmHash64 } from '../../contract/hash64.js'
import { CONTRACT } from '../../contract/kinds.js'
import { createIdentifier } from '../../source/identify.js'
import { listAll, type BucketStorage } from '../../storage/storage.js'
import type { ObjectComment } from '../../targets/archive/object-comment.js'
import { parseArchiveKey, type ArchiveObject } from '../../targets/archive/object-key.js'
import { archivedCommits, identifiedLines } from '../../targets/archive/read.js'
import {
  newestFirst,
  resolveCommitName,
  toDeliveryEntry,
  type Lineage,
  type LineageReader,
  type ReadDelivery,
} from './lineage.js'

export function lineageInArchive(objects: BucketStorage, signal: AbortSignal): LineageReader {
  return {
    description: objects.description,
    close: () => objects.close(),
    async ofMeasurement(text) {
      const id = BigInt(text)
      for (const { table, kind } of CONTRACT.kinds)
        for await (const group of archivedCommits(objects, table, undefined)) {
          const read = await readObjects(objects, group, { id, kind, signal })
          const commit = group[0]!.commit
          const found = read.filter(({ hasId }) => hasId).map(({ delivery }) => delivery)
          if (found.length > 0) return { commit, measurement: { id: text, kind }, deliveries: newestFirst(found) }
        }
      return undefined
    },
    async ofCommit(name, lookUp) {
      const commit = await resolveCommitName(name, prefix => commitsStartingWith(objects, prefix), lookUp)
      return commit === undefined ? undefined : lineageOfCommit(objects, commit, signal)
    },
  }
}

async function lineageOfCommit(
  objects: BucketStorage,
  commit: string,
  signal: AbortSignal,
): Promise<Lineage | undefined> {
  const ranges = new Map<string, { readonly last: number; readonly delivery: ReadDelivery }>()
  for (const { table, kind } of CONTRACT.kinds)
    for await (const group of archivedCommits(objects, table, commit))
      for (const { last, delivery } of await readObjects(objects, group, { kind, signal })) {
        const records = { ...ranges.get(delivery.id)?.delivery.records, ...delivery.records }
        ranges.set(delivery.id, { last, delivery: { ...delivery, records } })
      }
  if (ranges.size === 0) return undefined
  const newest = [...ranges.values()].sort((one, other) => other.last - one.last)
  const deliveries = newest.map(({ delivery: { generation, ...delivery } }) =>
    toDeliveryEntry({ ...delivery, ci: generation?.ci, producedAt: generation?.producedAt }),
  )
  return { commit, measurement: null, deliveries }
}

async function commitsStartingWith(objects: BucketStorage, prefix: string): Promise<readonly string[]> {
  const found = new Set<string>()
  for (const { table } of CONTRACT.kinds)
    for await (const { key } of listAll(objects, `${table}/${prefix}`))
      found.add(parseArchiveKey(key, objects.description).commit)
  return [...found]
}

type Search = {
  /** A measurement to look for. */
  readonly id?: bigint
  readonly kind: string
  readonly signal: AbortSignal
}

type ArchivedDelivery = { readonly last: number; readonly delivery: ReadDelivery; readonly hasId: boolean }

/** Reads each object of one table and commit as a delivery. */
async function readObjects(
  objects: BucketStorage,
  group: readonly ArchiveObject[],
  { id, kind, signal }: Search,
): Promise<readonly ArchivedDelivery[]> {
  const identify = createIdentifier(await wasmHash64())
  const found: ArchivedDelivery[] = []
  for (const object of group) {
    let [records, hasId] = [0, false]
    let known: ObjectComment | undefined
    for await (const { batch, comment } of identifiedLines(objects, object, { identify, signal })) {
      known = comment
      records += batch.count
      hasId ||= id !== undefined && batch.ids.subarray(0, batch.count).includes(id)
    }
    const { since, last } = object
    const delivery = {
      id: `${since}-${last}`,
      records: { [kind]: records },
      generation: known?.generation,
      origin: known?.origin,
    }
    found.push({ last, delivery, hasId })
  }
  return found
}
