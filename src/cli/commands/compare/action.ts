/** `compare`: reports the changes between two stored commits, and which changes are statistically significant. */

import { lookUpCommit } from '../../../commit/git.js'
import { compareCommits } from '../../../analysis/comparison.js'
import { isRegression } from '../../../analysis/judge.js'
import type { TargetFlags } from '../../../targets/kinds.js'
import { wasmHash64 } from '../../../contract/hash64.js'
import { readCommitRows } from '../../../database/queries/commit-rows.js'
import { findCommit, newestCommit, type CommitSummary } from '../../../database/queries/commits.js'
import { EXIT, IngestError } from '../../../errors.js'
import type { SqlSession } from '../../../database/session.js'
import { compareDocument } from './json.js'
import { printMarkdown } from './markdown.js'
import { printCompared } from './human.js'
import type { Compared } from './words.js'
import type { Action, Context } from '../../context.js'
import type { CompareReport } from '../../../reports/compare.js'
import { openDatabase } from '../../options/target-world.js'

export type CompareFlags = TargetFlags & {
  readonly format: 'human' | 'json' | 'markdown'
  readonly threshold: number
  readonly failOn?: 'regression'
  readonly gitDir?: string
  readonly verbose?: boolean
}

export const compare: Action<CompareFlags> = async (args, flags, context) => {
  const { session, description, close } = await openDatabase(flags, false, context)
  try {
    const compared = await compareStored(session, { args, flags, context, description })
    print(compared, flags, context)
    return compared.exitCode
  } finally {
    await close()
  }
}

type Asked = {
  readonly args: readonly string[]
  readonly flags: CompareFlags
  readonly context: Context
  readonly description: string
}

async function compareStored(session: SqlSession, { args, flags, context, description }: Asked): Promise<Compared> {
  const { threshold, failOn } = flags
  const { base, head } = await findCommits(session, args, { flags, context })
  const { kinds, access } = await readCommitRows(
    session,
    { base: base.sha, head: head.sha },
    { hash: await wasmHash64() },
  )
  context.signal.throwIfAborted()
  const comparison = compareCommits(kinds, threshold)
  const fails = failOn !== undefined && (comparison.changes.length === 0 || comparison.changes.some(isRegression))
  const exitCode = fails ? EXIT.mismatch : EXIT.done
  return { ...comparison, base, head, access, threshold, target: description, exitCode }
}

async function findCommits(
  session: SqlSession,
  [baseName = '', headName]: readonly string[],
  { flags: { gitDir }, context: { env, signal } }: Pick<Asked, 'flags' | 'context'>,
): Promise<{ readonly base: CommitSummary; readonly head: CommitSummary }> {
  const lookUp = (name: string): Promise<string | undefined> => lookUpCommit(name, { gitDir, env, signal })
  const base = await findCommit(session, baseName, lookUp)
  const head = headName === undefined ? await newestCommit(session) : await findCommit(session, headName, lookUp)
  if (base.sha !== head.sha) return { base, head }
  const which = headName === undefined ? `${base.sha} is itself the newest stored commit` : `both are ${base.sha}`
  const hint = 'name an older commit first, or another HEAD after it'
  throw new IngestError('usage', `nothing to compare: ${which}`, { hint })
}

function print(compared: Compared, { format, verbose = false }: CompareFlags, { report, columns }: Context): void {
  if (format === 'json') report.json<CompareReport>(compareDocument(compared))
  else if (format === 'markdown') printMarkdown(report, compared, verbose)
  else printCompared(report, compared, { verbose, columns })
}
