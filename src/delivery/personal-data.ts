/** Decides what a push does about personal data. Nothing of it is loaded when every target keeps personal data. */

import type { RunMeta } from '../contract/commit.js'
import type { DimensionCheck } from '../pii/dimension-check.js'
import type { PiiFilter } from '../pii/pii-filter.js'
import type { Emit } from './events.js'
import type { Target } from './target.js'

type Filtered = {
  readonly targets: readonly Target[]
  /** The filters of targets that get the records later; undefined for one that keeps personal data. */
  readonly laterFilters?: readonly (PiiFilter | undefined)[] | undefined
}

/** The filter of the outbox: that of the least strict target, because a target can only be stricter than the outbox. */
export function outboxFilter({ targets, laterFilters = [] }: Filtered): PiiFilter | undefined {
  const filters = [...targets.map(({ opener }) => opener.pii), ...laterFilters]
  if (filters.includes(undefined)) return undefined
  return filters.find(filter => filter?.mode === 'mask') ?? filters[0]
}

type Checking = { readonly targets: readonly Target[]; readonly run: RunMeta; readonly emit: Emit }

/** Starts the check of dimensions, and warns of a benchmark id with personal data, because neither is ever changed. */
export async function startDimensionCheck({ targets, run, emit }: Checking): Promise<DimensionCheck | undefined> {
  if (targets.every(({ opener }) => opener.pii === undefined)) return undefined
  const { benchmarkWarning, DimensionCheck } = await import('../pii/dimension-check.js')
  const message = await benchmarkWarning(run)
  if (message !== undefined) emit({ type: 'warned', message })
  return new DimensionCheck()
}
