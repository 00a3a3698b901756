/** Compares two stored commits with the noise that the commits before them show. */

import { compareCommits, type Comparison, type KindRows } from '../analysis/comparison.js'
import { isControl, type Control, type NoiseHistory } from '../analysis/noise-rows.js'
import { DEFAULT_THRESHOLD, valueFields } from '../analysis/series.js'
import type { Access } from '../database/queries/commit-access.js'
import type { CommitSummary } from '../database/queries/commits.js'
import { IngestError } from '../errors.js'
import type { ChosenCommits } from './baseline.js'
import type { CommitReader } from './commit-reader.js'

export type StoredComparison = Comparison & {
  readonly base: CommitSummary
  readonly head: CommitSummary
  /** All rows of both commits. */
  readonly kinds: readonly KindRows[]
  /** How the rows of each table were found. */
  readonly access: readonly Access[]
  readonly threshold: number
  readonly controls: readonly Control[]
  /** The database or server in words, without secrets. */
  readonly target: string
  /** Sentences about how the commits were found, where that is not obvious. */
  readonly remarks: readonly string[]
}

export type NoiseChoice = {
  /** The smallest ratio of two values that counts as a change; must exceed 1. Default: 1.03. */
  readonly threshold?: number | undefined
  /** Dimensions of series that the change cannot touch, such as `{ dimension: 'format', value: 'parquet' }`. Default: none. */
  readonly controls?: readonly Control[] | undefined
}

/** @throws {IngestError} `not_found` when no series is a control; `usage` when every series with durations is one */
export async function compareStored(
  reader: CommitReader,
  { base, head, history: shas, remarks }: ChosenCommits,
  { threshold = DEFAULT_THRESHOLD, controls = [] }: NoiseChoice,
): Promise<StoredComparison> {
  const { kinds, access } = await reader.rows(base.sha, head.sha)
  const history = await readNoiseHistory(
    reader,
    shas.filter(sha => sha !== base.sha && sha !== head.sha),
  )
  const comparison = compareCommits(kinds, { threshold, history, controls })
  assertControls(comparison, controls)
  const found = { base, head, kinds, access, threshold, controls, target: reader.description }
  return { ...comparison, ...found, remarks: [...remarks, ...(shas.includes(head.sha) ? [SWAPPED] : [])] }
}

const SWAPPED = 'HEAD is an ancestor of BASE: if the older commit is meant as BASE, swap the two'

async function readNoiseHistory(reader: CommitReader, shas: readonly string[]): Promise<readonly NoiseHistory[]> {
  const oldestFirst = shas.toReversed()
  return oldestFirst.length === 0 ? [] : reader.history(oldestFirst)
}

function assertControls({ changes }: Comparison, controls: readonly Control[]): void {
  const timed = changes.filter(({ kind }) => valueFields(kind).timed)
  if (controls.length === 0 || timed.length === 0) return
  const named = controls.map(({ dimension, value }) => `${dimension}=${value}`).join(', ')
  const found = timed.filter(series => isControl(series, controls)).length
  if (found === 0)
    throw new IngestError('not_found', `no series of both commits is a control: ${named}`, {
      hint: 'name a dimension and a value that series have; -v lists the series',
    })
  if (found === timed.length)
    throw new IngestError('usage', `every series is a control: ${named}`, {
      hint: 'name only series that the change cannot touch, because what controls have in common is removed as noise',
    })
}
