/** Reads deliveries from the outbox of a state. Each batch is what one push has enqueued of one source. */

import { wasmHash64 } from '../../contract/hash64.js'
import { createIdentifier } from '../../source/identify.js'
import { readRecords } from '../../source/records.js'
import { batchGeneration, readHead, type Batch } from '../../state/head.js'
import type { Partition } from '../../state/keys.js'
import { readLines } from '../../state/lines.js'
import { partitions } from '../../state/outbox.js'
import type { State } from '../../state/state.js'
import { newestFirst, resolveCommitName, toDeliveryEntry, type Lineage, type LineageReader } from './lineage.js'

export function lineageInState(state: State, signal: AbortSignal): LineageReader {
  const { storage } = state
  return {
    description: storage.description,
    close: () => storage.close(),
    async ofMeasurement(id) {
      for await (const partition of partitions(storage)) {
        const found = await findInPartition(state, partition, { id: BigInt(id), signal })
        if (found !== undefined) return found
      }
      return undefined
    },
    async ofCommit(name, lookUp) {
      const commit = await resolveCommitName(name, prefix => commitsStartingWith(state, prefix), lookUp)
      const batches = commit === undefined ? [] : (await readHead(storage, commit)).head.batches
      if (commit === undefined || batches.length === 0) return undefined
      const deliveries = batches.toReversed().map(batch => {
        const { ci, at } = batch
        return toDeliveryEntry({ ...factsOf(batch), ci, producedAt: at })
      })
      return { commit, measurement: null, deliveries }
    },
  }
}

async function commitsStartingWith({ storage }: State, prefix: string): Promise<readonly string[]> {
  const found: string[] = []
  for await (const partition of partitions(storage)) if (partition.startsWith(prefix)) found.push(partition)
  return found
}

type Search = { readonly id: bigint; readonly signal: AbortSignal }

async function findInPartition(state: State, commit: Partition, search: Search): Promise<Lineage | undefined> {
  const { head } = await readHead(state.storage, commit)
  const found: Batch[] = []
  let kind: string | undefined
  for (const batch of head.batches) {
    const inBatch = await kindOfMeasurement(state, batch, search)
    if (inBatch !== undefined) found.push(batch)
    kind ??= inBatch
  }
  if (kind === undefined) return undefined
  const deliveries = newestFirst(found.map(batch => ({ ...factsOf(batch), generation: batchGeneration(batch) })))
  return { commit, measurement: { id: search.id.toString(), kind }, deliveries }
}

/** The kind of the measurement; undefined when the batch does not have it. */
async function kindOfMeasurement(
  { storage }: State,
  batch: Batch,
  { id, signal }: Search,
): Promise<string | undefined> {
  const identify = createIdentifier(await wasmHash64())
  for await (const { batch: records } of readRecords(readLines(storage, batch.objects), { source: batch.source })) {
    signal.throwIfAborted()
    identify(records)
    const row = records.ids.subarray(0, records.count).indexOf(id)
    if (row !== -1) return records.kindOf(row).kind
  }
  return undefined
}

function factsOf({ id, run, origin, counts }: Batch) {
  return {
    ...{ id, contractVersion: run.schema_version, records: Object.fromEntries(counts) },
    origin: { sources: [], sourceCount: 0, ...origin, benchmarkId: run.benchmark_id },
  }
}
