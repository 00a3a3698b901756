/** The path of a record: sources, checked whole, then file by file into one target. */

import type { Commit } from '../contract/commit.js'
import type { Hash64 } from '../contract/hash64.js'
import { IngestError } from '../errors.js'
import { copyChunks } from '../sink/copy-text.js'
import type { Delivery, KindReceipt, Sink, SinkOpener } from '../sink/sink.js'
import { Opening } from './opening.js'
import { identifier } from '../source/identify.js'
import { inspect, type Inspection } from '../source/inspect.js'
import { lineBlocks } from '../source/lines.js'
import { readRecords } from '../source/records.js'
import type { RecordBatch } from '../source/record-batch.js'
import type { Rejection, Warning } from '../source/rejection.js'
import type { Source } from '../source/source.js'

export type PushOptions = {
  /** The commit that every record must name; by default the one that the first record names. */
  readonly commitSha?: string | undefined
  /** Called once, with the records' commit or undefined when there are no records. */
  readonly commitOf: (sha: string | undefined) => Promise<Commit>
  /** Undefined sends nothing. */
  readonly opener: SinkOpener | undefined
  readonly hash: Hash64
  readonly onRejection: (rejection: Rejection) => void
  readonly onWarning: (warning: Warning) => void
  readonly signal: AbortSignal
}

export type FileReceipt = {
  readonly source: string
  readonly kinds: readonly KindReceipt[]
  readonly attempts: number
}

export type Pushed = {
  readonly inspections: readonly Inspection[]
  /** The commit that every record had to name, undefined when no record came and none was asked for. */
  readonly commitSha: string | undefined
  /** Undefined when lines were rejected: then nothing was looked up and nothing sent. */
  readonly commit: Commit | undefined
  readonly target: string | undefined
  /** The files that landed, each whole. */
  readonly receipts: readonly FileReceipt[]
  /** Why the file after the last receipt did not land. */
  readonly failure: { readonly source: string; readonly error: unknown } | undefined
}

/** @throws {IngestError} when nothing could be sent; once a file has landed a failure is part of the answer */
export async function push(sources: readonly Source[], options: PushOptions): Promise<Pushed> {
  // Connecting overlaps with checking; not a byte of a record is sent before all are checked.
  const opening = options.opener === undefined ? undefined : new Opening(options.opener, options.signal)
  try {
    const inspections = await inspectAll(sources, options)
    const commitSha = commitShaOf(inspections, options)
    const nothing = { commit: undefined, target: undefined, receipts: [], failure: undefined }
    const pushed: Pushed = { inspections, commitSha, ...nothing }
    if (inspections.some(({ rejected }) => rejected > 0)) return pushed
    const commit = await options.commitOf(commitSha)
    if (opening === undefined) return { ...pushed, commit }
    const sink = await opening.sink()
    return {
      ...pushed,
      commit,
      target: sink.description,
      ...(await deliver(sources, sink, { commit, inspections, options })),
    }
  } finally {
    await opening?.close()
  }
}

/** Promise 1: every line of every source is checked before the first byte of one is sent. */
async function inspectAll(sources: readonly Source[], options: PushOptions): Promise<readonly Inspection[]> {
  const { onRejection, onWarning, signal } = options
  const inspections: Inspection[] = []
  for (const source of sources) {
    const commitSha = commitShaOf(inspections, options)
    inspections.push(await inspect(source, { commitSha, oneCommit: true, onRejection, onWarning, signal }))
  }
  return inspections
}

function commitShaOf(inspections: readonly Inspection[], { commitSha }: PushOptions): string | undefined {
  return commitSha ?? inspections.find(inspection => inspection.commitSha !== undefined)?.commitSha
}

type Checked = {
  readonly commit: Commit
  readonly inspections: readonly Inspection[]
  readonly options: PushOptions
}

/** Promise 2: a file is one transaction. */
async function deliver(
  sources: readonly Source[],
  sink: Sink,
  { commit, inspections, options }: Checked,
): Promise<Pick<Pushed, 'receipts' | 'failure'>> {
  const receipts: FileReceipt[] = []
  for (const [index, source] of sources.entries()) {
    const counts = inspections[index]?.counts ?? new Map<string, number>()
    const assertUnchanged = (): Promise<void> => source.assertUnchanged()
    const delivery: Delivery = { commit, counts, assertUnchanged, rows: () => copyChunks(identified(source, options)) }
    try {
      receipts.push({ source: source.name, ...(await sink.write(delivery)) })
    } catch (cause) {
      const error: unknown = options.signal.aborted ? options.signal.reason : await reasonOf(source, cause)
      if (receipts.length === 0) throw error
      return { receipts, failure: { source: source.name, error } }
    }
  }
  return { receipts, failure: undefined }
}

/** Of a source that changed, whatever the target made of its rows is not the reason to tell. */
async function reasonOf(source: Source, cause: unknown): Promise<unknown> {
  return source.assertUnchanged().then(
    () => cause,
    (changed: unknown) => changed,
  )
}

/** The second pass over a source: the same records again, now with their ids. */
async function* identified(source: Source, { hash, signal }: PushOptions): AsyncGenerator<RecordBatch> {
  const identify = identifier(hash)
  for await (const { batch, rejections } of readRecords(lineBlocks(await source.open()), source.name)) {
    signal.throwIfAborted()
    if (rejections.length > 0) throw new IngestError('input_changed', `${source.name} changed while it was being read`)
    identify(batch)
    yield batch
  }
}
