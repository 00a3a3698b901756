/** Compares every copied record with the row of the target, value by value. */

import { CONTRACT, type Kind } from '../../contract/kinds.js'
import type { ReadableTarget, StoredRows } from '../stored-rows.js'
import { verify, type Difference } from '../verify.js'
import { COPY_GENERATION, type OpenCopySource } from './copy-source.js'
import { prepareBatch, type PreparedBatch, type PrepareOptions } from './prepare-batch.js'
import { readAhead } from './read-ahead.js'

export type CopyVerification = {
  readonly compared: number
  /** Number of records that the target lacks or has with another value. */
  readonly different: number
  /** Number of records whose row a delivery wrote, which is newer than the copy. */
  readonly newer: number
  /** The first differences. */
  readonly differences: readonly Difference[]
}

export type VerifyCopyOptions = Omit<PrepareOptions, 'onMismatch'> & {
  readonly openRows?: ReadableTarget['openRows'] | undefined
}

const MAX_LISTED = 20

/** @returns undefined when the rows of the target are not read */
export async function verifyCopy(
  source: OpenCopySource,
  { openRows, ...options }: VerifyCopyOptions,
): Promise<CopyVerification | undefined> {
  if (openRows === undefined) return undefined
  const { rows, close } = await openRows(options.signal)
  let [compared, different, newer] = [0, 0, 0]
  const differences: Difference[] = []
  const prepared = async function* (): AsyncGenerator<PreparedBatch> {
    for await (const batch of source.batches()) yield await prepareBatch(batch, { ...options, onMismatch: ignore })
  }
  try {
    const isOrdered = await rows.isOrdered()
    for await (const one of readAhead(prepared(), ({ batch }) => batch.lines.release())) {
      const found = await compareBatch(one, { rows, isOrdered, signal: options.signal })
      compared += found.compared
      different += found.differences.length
      newer += found.newer
      differences.push(...found.differences.slice(0, MAX_LISTED - differences.length))
    }
  } finally {
    await close()
  }
  return { compared, different, newer, differences }
}

const ignore = (): void => undefined

type Comparing = { readonly rows: StoredRows; readonly isOrdered: boolean; readonly signal: AbortSignal }

type BatchComparison = Pick<CopyVerification, 'compared' | 'newer' | 'differences'>

async function compareBatch(
  { batch, lines, identify }: PreparedBatch,
  { rows, isOrdered, signal }: Comparing,
): Promise<BatchComparison> {
  const found: Difference[] = []
  const target = { openRows: async () => ({ rows, description: '', close: async () => undefined }) }
  const onDifference = (difference: Difference): void => void found.push(difference)
  const commitSha = batch.commit.sha
  const { compared } = await verify([lines], { target, commitSha, identify, signal, onDifference })
  const superseded = isOrdered ? await supersededIn(found, rows, commitSha) : new Set<Difference>()
  const differences = found
    .filter(difference => !superseded.has(difference))
    .map(difference => (difference.line === 0 ? difference : { ...difference, source: batch.placeOf(difference.line) }))
  return { compared, newer: superseded.size, differences }
}

async function supersededIn(found: readonly Difference[], rows: StoredRows, commitSha: string) {
  const superseded = new Set<Difference>()
  for (const kind of CONTRACT.kinds) {
    const differing = differencesOf(kind, found)
    if (differing.length === 0) continue
    const ids = differing.map(({ measurementId }) => measurementId)
    const newer = await rows.supersededIds(kind, ids, { commitSha, generation: COPY_GENERATION })
    for (const difference of differing) if (newer.has(difference.measurementId)) superseded.add(difference)
  }
  return superseded
}

function differencesOf({ kind }: Kind, found: readonly Difference[]): readonly Difference[] {
  return found.filter(difference => difference.kind === kind && difference.code === 'different')
}
