/** Keeps the history that the hosting service answered in the git folder of the clone. */

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { findGitFolder } from '../commit/ancestry.js'
import type { GitContext } from '../commit/git-process.js'
import { isFullSha } from '../contract/commit.js'
import type { AskHosting } from './first-parent-history.js'

const FILE = join('vortex-ingest', 'first-parents')

/** The history of a commit never changes, so an answer is kept for as long as the clone exists. */
export function withAncestryCache(ask: AskHosting, git: GitContext): AskHosting {
  return async (sha, limit) => {
    const folder = await findGitFolder(git)
    const path = folder && join(folder, FILE)
    const known = path && findCachedHistory(await readShas(path), sha, limit)
    if (known) return { shas: known, isComplete: true }
    const answer = await ask(sha, limit)
    if (path && answer?.isComplete === true) await writeShas(path, answer.shas, limit)
    return answer
  }
}

/** The end of the list marks a history that was read to its first commit. */
const END = 'end'

/**
 * Returns the history of a commit from the cached lines, because the history of a newer commit includes that of its ancestors.
 * @returns undefined if the lines do not reach far enough
 */
function findCachedHistory(lines: readonly string[], sha: string, limit: number): readonly string[] | undefined {
  const start = lines.indexOf(sha)
  if (start === -1) return undefined
  const shas = lines.slice(start).filter(isFullSha).slice(0, limit)
  return shas.length === limit || lines.at(-1) === END ? shas : undefined
}

async function readShas(path: string): Promise<readonly string[]> {
  return (await readFile(path, 'utf8').catch(() => '')).split('\n')
}

/** A clone that cannot be written to has no cache. */
async function writeShas(path: string, shas: readonly string[], limit: number): Promise<void> {
  const lines = shas.length < limit ? [...shas, END] : shas
  await mkdir(dirname(path), { recursive: true })
    .then(() => writeFile(path, lines.join('\n')))
    .catch(() => undefined)
}
