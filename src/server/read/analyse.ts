/** Analyses histories in a worker thread, so that requests are answered meanwhile. */

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ChangePoint, findChangePoints } from '../../analysis/history-changes.js'

export type AnalysisTask = {
  readonly series: Parameters<typeof findChangePoints>[0]
  /** The smallest ratio of two levels that counts as a change. */
  readonly threshold: number
}

/** The worker is a file of its own beside the bundle. Tests, which run the sources, use the built one too. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? '../../../dist/change-worker.cjs' : './change-worker.cjs',
  import.meta.url,
)
/** The analysis of the largest history that is read takes about a tenth of this. */
const HEAP_MIB = 512
const TIMEOUT_MS = 120_000

/** @throws {Error} when the analysis fails or takes too long */
export async function analyse(task: AnalysisTask): Promise<readonly ChangePoint[]> {
  const resourceLimits = { maxOldGenerationSizeMb: HEAP_MIB }
  // The bundle needs none of the process's own options, such as a loader.
  const worker = new Worker(WORKER, { workerData: task, resourceLimits, execArgv: [] })
  // A server that shuts down does not wait for an analysis.
  worker.unref()
  try {
    // Rejects with the worker's error.
    const [points] = (await once(worker, 'message', { signal: AbortSignal.timeout(TIMEOUT_MS) })) as [ChangePoint[]]
    return points
  } finally {
    await worker.terminate()
  }
}
