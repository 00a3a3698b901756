/** Checks the files of a push without state: every line, and whether every target can hold every record. */

import type { Commit } from '../contract/commit.js'
import type { CiAttempt } from '../contract/generation.js'
import type { DimensionCheck } from '../pii/dimension-check.js'
import type { Inspection } from '../source/inspect.js'
import { commonCommitSha, inspectAll } from '../source/inspect-all.js'
import type { Source } from '../source/source.js'
import type { Queue } from './deliver.js'
import type { Emit } from './events.js'
import {
  deliveriesFor,
  fileDelivery,
  fileQueue,
  flawEvents,
  isRefused,
  warnOfDimensions,
  type FileDeliveryOptions,
} from './read-files.js'
import { rowCacheFor } from './row-cache.js'
import type { Target } from './target.js'

export type CheckOptions = Pick<FileDeliveryOptions, 'run' | 'runUrl' | 'hash' | 'mayDowngrade' | 'signal'> & {
  readonly targets: readonly Target[]
  readonly commitSha?: string | undefined
  readonly contractVersion?: number | undefined
  readonly requireRecords?: boolean | undefined
  readonly findCommit: (sha: string | undefined) => Promise<Commit>
  readonly ci?: CiAttempt | undefined
  readonly isForced: boolean
  readonly dryRun: boolean
  readonly emit: Emit
  /** Warns of personal data that cannot be masked. */
  readonly dimensions?: DimensionCheck | undefined
  readonly now: () => number
  /** Filled with the time at which each source began to be read. A repeated check does not make the records newer. */
  readonly readAt: string[]
}

export type CheckedFiles = {
  readonly inspections: readonly Inspection[]
  readonly commitSha: string | undefined
  /** Undefined when lines were rejected before the commit was needed. */
  readonly commit: Commit | undefined
  /** The queue of each target; undefined when lines were rejected. */
  readonly queues: readonly { readonly target: Target; readonly queue: Queue }[] | undefined
}

export async function checkFiles(sources: readonly Source[], options: CheckOptions): Promise<CheckedFiles> {
  const { targets, emit, signal, dryRun, hash, contractVersion, requireRecords, readAt, dimensions } = options
  const isRepeated = readAt.length > 0
  const cache = dryRun ? undefined : rowCacheFor<Source>(targets, hash)
  const inspections = await inspectAll(sources, {
    ...{ commitSha: options.commitSha, contractVersion, signal, ...flawEvents(emit, isRepeated) },
    requireRecords: requireRecords === true && !isRepeated,
    onRead: () => void (isRepeated || readAt.push(new Date(options.now()).toISOString())),
    onBatch:
      (cache ?? dimensions) &&
      ((source, batch) => {
        cache?.add(source, batch)
        dimensions?.collect(batch, { source: source.name })
      }),
  })
  await warnOfDimensions(options)
  const commitSha = commonCommitSha(inspections, options)
  const refused = { inspections, commitSha, commit: undefined, queues: undefined }
  if (inspections.some(({ rejected }) => rejected > 0)) return refused
  const commit = await options.findCommit(commitSha)
  const files = sources.map((source, index) =>
    fileDelivery(source, {
      ...{ ...options, commit, cache, inspection: inspections[index]! },
      generation: { producedAt: readAt[index]!, ...(options.isForced ? { isForced: true } : { ci: options.ci }) },
    }),
  )
  const queues = targets.map(target => ({ target, deliveries: deliveriesFor(target, files, emit) }))
  let isAnyRefused = false
  for (const { target, deliveries } of queues)
    isAnyRefused = (await isRefused(deliveries, target.opener, emit)) || isAnyRefused
  return {
    ...{ inspections, commitSha, commit },
    queues: isAnyRefused
      ? undefined
      : queues.map(({ target, deliveries }) => ({ target, queue: fileQueue(target, deliveries, signal) })),
  }
}
