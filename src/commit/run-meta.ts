/** Creates the run_meta of an envelope: the benchmark, its run, and the time of ingestion. */

import type { RunMeta } from '../contract/commit.js'
import { SCHEMA_VERSION } from '../contract/kinds.js'
import type { CiRun } from './ci.js'

export type RunOptions = {
  /** The benchmark id given by the user. Takes precedence over the one from CI. */
  readonly benchmarkId?: string | undefined
  readonly ci?: CiRun | undefined
  readonly now: () => Date
}

/** The run_meta of a run that starts now. The benchmark id defaults to `local` outside of CI. */
export function runMeta({ benchmarkId, ci, now }: RunOptions): RunMeta {
  return {
    benchmark_id: benchmarkId ?? ci?.benchmarkId ?? ci?.name ?? 'local',
    schema_version: SCHEMA_VERSION,
    started_at: now().toISOString(),
  }
}
