/** Validates files and makes deliveries of them, for a push without state. */

import { randomUUID } from 'node:crypto'
import type { Commit, RunMeta } from '../contract/commit.js'
import { sourceRange } from '../contract/delivery-origin.js'
import type { Generation } from '../contract/generation.js'
import type { Hash64 } from '../contract/hash64.js'
import { lowestIn } from '../contract/version-set.js'
import { abortError } from '../errors.js'
import { userAgent } from '../package-file.js'
import type { DimensionCheck } from '../pii/dimension-check.js'
import { PartialDeliveryError, type CopyRows, type Delivery } from '../source/delivery.js'
import type { Inspection } from '../source/inspect.js'
import type { InspectAllOptions } from '../source/inspect-all.js'
import type { Source } from '../source/source.js'
import type { SinkOpener } from '../targets/sink.js'
import { countReads } from './count-reads.js'
import type { Queue } from './deliver.js'
import type { Emit, Failure } from './events.js'
import type { RowCache } from './row-cache.js'
import { linesOf, rowsOf } from './rows.js'
import type { Target } from './target.js'

/** Reports rejected lines and warnings of an inspection as events. An inspection that is repeated has the same warnings. */
export function flawEvents(emit: Emit, isRepeated = false): Pick<InspectAllOptions, 'onRejection' | 'onWarning'> {
  return {
    onRejection: rejection => emit({ type: 'line-rejected', rejection }),
    onWarning: warning => void (isRepeated || emit({ type: 'line-warned', warning })),
  }
}

/** Reports personal data that cannot be masked as warnings about lines. */
export async function warnOfDimensions({
  dimensions,
  emit,
}: {
  readonly dimensions?: DimensionCheck | undefined
  readonly emit: Emit
}): Promise<void> {
  for (const warning of (await dimensions?.warnings()) ?? []) emit({ type: 'line-warned', warning })
}

/**
 * Asks a target whether it can hold the deliveries, before anything is sent, so that either all targets get a file or
 * none. Reports every refused record.
 */
export async function isRefused(
  deliveries: readonly Delivery[],
  { refuses }: SinkOpener,
  emit: Emit,
): Promise<boolean> {
  let refused = false
  for (const delivery of refuses === undefined ? [] : deliveries)
    for await (const rejection of refuses!(delivery)) {
      emit({ type: 'line-rejected', rejection })
      refused = true
    }
  return refused
}

export type FileDeliveryOptions = {
  readonly commit: Commit
  readonly inspection: Pick<Inspection, 'counts' | 'fits' | 'lines'>
  readonly run: RunMeta
  /** The web page of the CI run. */
  readonly runUrl?: string | undefined
  /** Undefined for records that count as the newest. */
  readonly generation?: Generation | undefined
  readonly hash: Hash64
  readonly cache?: RowCache<Source> | undefined
  readonly mayDowngrade?: boolean | undefined
  readonly signal: AbortSignal
}

/** A validated source as a delivery, which every target reads independently from the start, as often as it needs to. */
export function fileDelivery(source: Source, options: FileDeliveryOptions): Delivery {
  const { commit, inspection, run, runUrl, hash, cache, mayDowngrade = false, signal, generation } = options
  const { counts, fits, lines } = inspection
  const range = sourceRange(source.name, { fingerprint: source.fingerprint?.(), linesBefore: 0, lines })
  const readAgain = (chunkBytes?: number): AsyncIterable<CopyRows> =>
    rowsOf(linesOf(source, signal), { name: source.name, hash }, chunkBytes)
  return {
    ...{ source: source.name, run: { ...run, schema_version: lowestIn(fits) }, commit, counts, fits, mayDowngrade },
    rows: chunkBytes => cache?.rows([source], chunkBytes) ?? readAgain(chunkBytes),
    lines: () => linesOf(source, signal),
    assertMayCommit: () => source.assertUnchanged(),
    order: { deliveryId: randomUUID(), generation },
    origin: { ...{ benchmarkId: run.benchmark_id, runUrl, tool: userAgent() }, sources: [range], sourceCount: 1 },
  }
}

/** The same deliveries for one target. They report how much of them its sink has read. */
export function deliveriesFor(target: Target, deliveries: readonly Delivery[], emit: Emit): readonly Delivery[] {
  return deliveries.map(delivery => countReads(delivery, records => emit({ type: 'read', target, records })))
}

/** A queue of validated files. Each is delivered completely or not at all; delivery stops at the first failure (promise 2). */
export function fileQueue({ settings }: Target, deliveries: readonly Delivery[], signal: AbortSignal): Queue {
  return {
    settings: async () => settings?.(undefined),
    async deliver(apply) {
      for (const delivery of deliveries) {
        try {
          await apply(delivery)
        } catch (cause) {
          return [await failureOf(delivery, cause, signal)]
        }
      }
      return []
    },
  }
}

/** A change of the file is reported instead of the target's error. */
async function failureOf(delivery: Delivery, cause: unknown, signal: AbortSignal): Promise<Failure> {
  const partial = cause instanceof PartialDeliveryError ? cause.receipt : undefined
  const error: unknown = signal.aborted
    ? abortError(cause, signal)
    : await delivery.assertMayCommit().then(
        () => cause,
        (changed: unknown) => changed,
      )
  return { source: delivery.source, error, partial }
}
