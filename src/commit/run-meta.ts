/** The run_meta of an envelope: which run of which benchmark, and when it was ingested. */

import type { RunMeta } from '../contract/commit.js'
import { SCHEMA_VERSION } from '../contract/kinds.js'
import type { CiRun } from './ci.js'

export type RunOptions = {
  /** What the person asked for: beats what CI says. */
  readonly benchmarkId?: string | undefined
  readonly ci?: CiRun | undefined
  readonly now: () => Date
}

/** The run_meta of a run that starts now. Outside of CI, and unless named, the benchmark is `local`. */
export function runMeta({ benchmarkId, ci, now }: RunOptions): RunMeta {
  return {
    benchmark_id: benchmarkId ?? ci?.benchmarkId ?? ci?.name ?? 'local',
    schema_version: SCHEMA_VERSION,
    started_at: now().toISOString(),
  }
}
