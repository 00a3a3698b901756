/** Summary sections for a push: the changes since the stored commit before it, and the slowest measurements. */

import { compareCommits, type KindRows } from '../../../analysis/comparison.js'
import { valueFields } from '../../../analysis/series.js'
import { findKind, isDatabase, type TargetFlags } from '../../../targets/kinds.js'
import type { PushResult } from '../../../delivery/push.js'
import type { CommitReader } from '../../../delivery/commit-reader.js'
import { databaseReader } from '../../../delivery/database-reader.js'
import { messageOf } from '../../../errors.js'
import { markdownOf } from '../../commands/compare/markdown.js'
import { seriesNamer } from '../../commands/compare/words.js'
import type { Context } from '../../context.js'
import { count } from '../report.js'
import { openDatabase } from '../../options/target-world.js'
import { markdownTable, markdownText } from './markdown.js'

const THRESHOLD = 1.1
const SLOWEST = 5
/** Time limit for reading the rows, so that the summary never delays a job for long. */
const TIMEOUT_MS = 10_000

/**
 * Compares the pushed commit with the stored commit before it. Never throws: an error becomes a sentence in the summary.
 * @returns Markdown sections; none if no database of this command line received the records, or no earlier commit is stored
 */
export async function comparedWithBefore(
  { targets, commit, dryRun }: PushResult,
  flags: TargetFlags,
  context: Context,
): Promise<readonly string[]> {
  const isStored = targets.some(({ kind: name, error }) => {
    const kind = findKind(name)
    return kind !== undefined && isDatabase(kind) && error === undefined
  })
  if (dryRun || !isStored || commit === undefined || context.signal.aborted) return []
  try {
    const reader = databaseReader(await openDatabase(flags, false, context), { timeoutMs: TIMEOUT_MS })
    try {
      return await sections(reader, commit.sha)
    } finally {
      await reader.close()
    }
  } catch (error) {
    return [`The measurements were not compared with those before: ${markdownText(messageOf(error))}`]
  }
}

async function sections(reader: CommitReader, sha: string): Promise<readonly string[]> {
  const newest = await reader.newest(1_000)
  const place = newest.findIndex(commit => commit.sha === sha)
  const [head, base] = [newest[place], newest[place + 1]]
  if (head === undefined || base === undefined) return []
  const { kinds, access } = await reader.rows(base.sha, sha)
  const comparison = compareCommits(kinds, THRESHOLD)
  const compared = { ...comparison, base, head, access, threshold: THRESHOLD }
  const markdown = markdownOf({ ...compared, target: reader.description }, false)
  return ['#### Against the commit before', markdown, ...slowest(kinds)]
}

function slowest(kinds: readonly KindRows[]): readonly string[] {
  const timed = kinds.filter(({ kind }) => valueFields(kind).timed)
  const rows = timed.flatMap(({ kind, rows }) =>
    rows.head.map(({ dimensions, value }) => ({ kind, dimensions, value })),
  )
  if (rows.length === 0) return []
  const name = seriesNamer(rows)
  rows.sort((one, other) => Number(other.value - one.value))
  const cells = rows.slice(0, SLOWEST).map(row => [markdownText(name(row)), `${count(row.value)} ns`])
  return ['#### The slowest', markdownTable(['series', 'median'], cells)]
}
