/** Summary sections for a push: the changes since the stored commit before it, and the slowest measurements. */

import { valueFields } from '../../../analysis/series.js'
import { findKind, isDatabase, type TargetFlags } from '../../../targets/kinds.js'
import type { PushResult } from '../../../delivery/push.js'
import type { CommitReader } from '../../../delivery/commit-reader.js'
import { compareStored, type StoredComparison } from '../../../delivery/compare-stored.js'
import { databaseReader } from '../../../delivery/database-reader.js'
import { withAncestryCache } from '../../../delivery/ancestry-cache.js'
import { chooseCommits, NoBaseError } from '../../../delivery/baseline.js'
import { IngestError, messageOf } from '../../../errors.js'
import { markdownOf } from '../../commands/compare/markdown.js'
import { seriesNamer } from '../../commands/compare/words.js'
import type { Context } from '../../context.js'
import { count } from '../report.js'
import { hostingOf, openServerReader } from '../../options/open-reader.js'
import { openDatabase } from '../../options/target-world.js'
import { markdownTable, markdownText } from './markdown.js'

const SLOWEST = 5
/** Time limit for reading the rows, so that the summary never delays a job for long. */
const TIMEOUT_MS = 10_000

/**
 * Compares the pushed commit with the stored commit before it. Never throws: an error becomes a sentence in the summary.
 * @returns Markdown sections; none if no database or server that can be read received the records, or no earlier commit is stored
 */
export async function comparedWithBefore(
  { targets, commit, dryRun }: PushResult,
  flags: TargetFlags,
  context: Context,
): Promise<readonly string[]> {
  const from = readableTarget(targets, flags)
  if (dryRun || from === undefined || commit === undefined || context.signal.aborted) return []
  try {
    const reader = await openStored(from, flags, context)
    try {
      return await sections(reader, commit.sha, { ...context, gitDir: flags['gitDir'] as string | undefined })
    } finally {
      await reader.close()
    }
  } catch (error) {
    if (error instanceof NoBaseError) return []
    if (from === 'server' && isWithoutReadApi(error)) return []
    return [`The measurements were not compared with those before: ${markdownText(messageOf(error))}`]
  }
}

type ReadableTarget = 'database' | 'server'

/** The kind of a target that received the records and can be read. A database is preferred, because it answers from one snapshot. */
function readableTarget(targets: PushResult['targets'], flags: TargetFlags): ReadableTarget | undefined {
  const kinds = targets.flatMap(({ kind, error }) => (error === undefined ? (findKind(kind) ?? []) : []))
  if (kinds.some(isDatabase)) return 'database'
  const isServed = flags['server'] !== undefined && kinds.some(({ kind }) => kind === 'server')
  return isServed ? 'server' : undefined
}

async function openStored(from: ReadableTarget, flags: TargetFlags, context: Context): Promise<CommitReader> {
  if (from === 'database') return databaseReader(await openDatabase(flags, false, context), { timeoutMs: TIMEOUT_MS })
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(TIMEOUT_MS)])
  return openServerReader(flags, { ...context, signal })
}

/** Ingest services of other projects have no routes to read from, which is no failure of a push. */
function isWithoutReadApi(error: unknown): boolean {
  return error instanceof IngestError && error.code === 'target_misconfigured'
}

/** @param context also has the repository of `--git-dir` */
async function sections(
  reader: CommitReader,
  sha: string,
  context: Context & { readonly gitDir: string | undefined },
): Promise<readonly string[]> {
  const { gitDir, env, signal } = context
  const within = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
  const git = { gitDir, env, signal }
  const askHosting = withAncestryCache(hostingOf({ ...context, signal: within }), git)
  const compared = await compareStored(reader, await chooseCommits(reader, { head: sha }, { git, askHosting }), {})
  return ['#### Compared with the commit before', markdownOf(compared, false), ...slowest(compared)]
}

function slowest({ kinds }: StoredComparison): readonly string[] {
  const timed = kinds.filter(({ kind }) => valueFields(kind).timed)
  const rows = timed.flatMap(({ kind, rows }) =>
    rows.head.map(({ dimensions, value }) => ({ kind, dimensions, value })),
  )
  if (rows.length === 0) return []
  const name = seriesNamer(rows)
  rows.sort((one, other) => Number(other.value - one.value))
  const cells = rows.slice(0, SLOWEST).map(row => [markdownText(name(row)), `${count(row.value)} ns`])
  return ['#### Slowest series', markdownTable(['series', 'median'], cells)]
}
