/** Temporary stand-in. */

import { runGit, type GitContext } from '../commit/git-process.js'
import { IngestError } from '../errors.js'
import type { CommitReader, MainLine } from './commit-reader.js'

export type LineOptions = { readonly git: GitContext; readonly limit?: number | undefined }

export async function mainLine(
  head: string,
  reader: CommitReader,
  { git, limit = 10_000 }: LineOptions,
): Promise<MainLine> {
  const answer = await runGit(['rev-list', '--first-parent', `--max-count=${limit}`, head, '--'], git).catch(
    (error: unknown) => {
      if (error instanceof IngestError && error.code === 'git_failed') return undefined
      throw error
    },
  )
  if (answer?.ok === true) return { shas: answer.stdout.trim().split('\n'), isComplete: true, source: 'git' }
  const newest = (await reader.newest(1000)).map(({ sha }) => sha)
  return { shas: newest, isComplete: false, source: 'time' }
}
