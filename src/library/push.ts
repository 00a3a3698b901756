/** `push` and `drain` with the defaults of the library. */

import { readGitCommit } from '../commit/git.js'
import { runMeta } from '../commit/run-meta.js'
import type { Commit, RunMeta } from '../contract/commit.js'
import { wasmHash64 } from '../contract/hash64.js'
import type { TargetOutcome } from '../delivery/deliver.js'
import { push as pushSources } from '../delivery/push.js'
import type { Rejection, Warning } from '../source/rejection.js'
import { openSources } from '../source/inputs.js'
import type { Source } from '../source/source.js'
import type { State } from '../state/state.js'
import type { PushTarget } from './targets.js'

type DeliveryOptions = {
  /** Where the records go. Each target is delivered to at the same time, and fails alone. */
  readonly targets: readonly PushTarget[]
  /** Allows delivering to a target of an older contract version only the part of the records that it can hold. */
  readonly mayDowngrade?: boolean | undefined
  /** With `state`: how long to wait for another process that delivers to the same target, in milliseconds. Default: 0. */
  readonly waitMs?: number | undefined
  /** Stops the work. Its reason becomes the error. */
  readonly signal?: AbortSignal | undefined
}

export type PushOptions = DeliveryOptions & {
  /** Durable memory. Records are queued in it first, and what a target misses is delivered later. See `openState`. */
  readonly state?: State | undefined
  /** The commit that the records were measured on. Default: git is asked for it. */
  readonly commit?: Commit | undefined
  /** The commit id that every record must name. Default: that of `commit`, otherwise that of the first record. */
  readonly commitSha?: string | undefined
  /** The benchmark and its run. Default: the benchmark `local`, now. */
  readonly run?: RunMeta | undefined
  /** The only contract version whose shapes are accepted. Default: the lowest one that fits all records of a file. */
  readonly contractVersion?: number | undefined
  /** Checks everything that can be checked without the targets, and sends nothing. */
  readonly dryRun?: boolean | undefined
  readonly onRejection?: ((rejection: Rejection) => void) | undefined
  readonly onWarning?: ((warning: Warning) => void) | undefined
}

export type TargetResult = {
  /** The target kind. */
  readonly kind: string
  /** The target id. */
  readonly id: string
  /** The target in words, without secrets. */
  readonly description: string
  /** `queued`: records stay in the outbox of the state for the next push or drain. */
  readonly status: 'delivered' | 'nothing new' | 'queued' | 'failed' | 'removed'
  readonly records: number
  readonly inserted: number
  readonly updated: number
  /** The error that stopped delivery; absent unless the status is `queued` or `failed`. */
  readonly error?: unknown
}

export type PushResult = {
  /** The commit of the records; undefined when lines were rejected or there were no records. */
  readonly commit: Commit | undefined
  /** One result per target; empty when lines were rejected, because then nothing was sent. */
  readonly targets: readonly TargetResult[]
  /** Number of rejected lines. */
  readonly rejected: number
}

/**
 * Validates every line of every file, then delivers file by file to every target: all of a file or nothing.
 * @param files file names, globs, `-` for standard input, or sources
 * @returns one result per target; the failure of a target is part of its result and is not thrown
 * @throws {IngestError} when nothing could be sent to any target, or queued
 */
export async function push(files: readonly (string | Source)[], options: PushOptions): Promise<PushResult> {
  const { state, targets, commit, waitMs = 0, signal = new AbortController().signal } = options
  const { sources, release } = await openSources(files, { rereadable: true, mayGrow: state !== undefined, signal })
  const given = {
    ...options,
    commitSha: options.commitSha ?? commit?.sha,
    commitOf: async (sha: string | undefined) => commit ?? readGitCommit({ sha, signal }),
    run: options.run ?? runMeta({ now: () => new Date() }),
    dryRun: options.dryRun === true,
    hash: await wasmHash64(),
    onRejection: options.onRejection ?? (() => undefined),
    onWarning: options.onWarning ?? (() => undefined),
    signal,
  }
  try {
    const pushed =
      state === undefined
        ? await pushSources(sources, given)
        : await (
            await import('../delivery/durable/push.js')
          ).pushDurably(state, sources, {
            ...{ ...given, waitMs, fullRefresh: false },
          })
    const rejected = pushed.inspections.reduce((all, one) => all + one.rejected, 0)
    return { commit: pushed.commit, targets: targetResults(targets, pushed.outcomes), rejected }
  } finally {
    await release()
  }
}

export type DrainOptions = DeliveryOptions & {
  /** The state whose outbox holds the records. */
  readonly state: State
  /** Approximate limit of records per target. Default: no limit. */
  readonly maxRecords?: number | undefined
  /** No delivery begins after this time. Default: no limit. */
  readonly maxDurationMs?: number | undefined
}

export type DrainResult = Pick<PushResult, 'targets'>

/** Delivers the queued records of every commit to the targets. @returns one result per target */
export async function drain(options: DrainOptions): Promise<DrainResult> {
  const { drain: drainState } = await import('../delivery/durable/drain.js')
  const { state, targets, maxRecords = Infinity, maxDurationMs = Infinity, waitMs = 0 } = options
  const { signal = new AbortController().signal } = options
  const given = { ...options, maxRecords, maxDurationMs, waitMs, signal, hash: await wasmHash64() }
  const { outcomes } = await drainState(state, given)
  return { targets: targetResults(targets, outcomes) }
}

function targetResults(targets: readonly PushTarget[], outcomes: readonly TargetOutcome[]): readonly TargetResult[] {
  return outcomes.map((outcome, index) => {
    const { name: kind, description, receipts, partial, failure } = outcome
    const stored = partial === undefined ? receipts : [...receipts, partial]
    const sum = (key: 'records' | 'inserted' | 'updated'): number => stored.reduce((all, one) => all + one[key], 0)
    return {
      ...{ kind, id: targets[index]?.opener.id ?? '', description, status: targetStatus(outcome) },
      ...{ records: sum('records'), inserted: sum('inserted'), updated: sum('updated') },
      ...(failure !== undefined && { error: failure.error }),
    }
  })
}

function targetStatus({ failure, outbox }: TargetOutcome): TargetResult['status'] {
  if (outbox?.isRemoved === true) return 'removed'
  if (failure !== undefined) return outbox === undefined || outbox.kept === 0 ? 'failed' : 'queued'
  const isIdle = outbox !== undefined && outbox.delivered === undefined && outbox.byAnother !== true
  return isIdle ? 'nothing new' : 'delivered'
}
