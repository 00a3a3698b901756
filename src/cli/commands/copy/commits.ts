/** Finds the commits of sources that store only their ids. */

import { readGitCommit } from '../../../commit/git.js'
import { parseCommit } from '../../../commit/commit-file.js'
import type { Commit } from '../../../contract/commit.js'
import { IngestError } from '../../../errors.js'
import { openSources } from '../../../source/inputs.js'
import { lineBlocks } from '../../../source/lines.js'
import type { Context } from '../../context.js'

export type CommitsFlags = {
  readonly commits?: string
  readonly gitDir?: string
  readonly repoUrl?: string
}

/** Looks commits up in the file of `--commits`, otherwise in the git repository. Each is looked up once. */
export function metadataFinder(flags: CommitsFlags, context: Context): (sha: string) => Promise<Commit> {
  const found = new Map<string, Promise<Commit>>()
  let listed: Promise<ReadonlyMap<string, Commit>> | undefined
  const find = async (sha: string): Promise<Commit> => {
    if (flags.commits === undefined) return fromGit(sha, flags, context)
    const commit = (await (listed ??= readCommits(flags.commits, context))).get(sha)
    if (commit !== undefined) return commit
    throw new IngestError('commit_unknown', `${flags.commits} has no line for the commit ${sha}`, {
      hint: 'add the commit, or leave out --commits to read commits from git',
    })
  }
  return sha => {
    const known = found.get(sha) ?? find(sha)
    found.set(sha, known)
    return known
  }
}

async function fromGit(sha: string, { gitDir, repoUrl }: CommitsFlags, { env, signal }: Context): Promise<Commit> {
  try {
    return await readGitCommit({ sha, gitDir, repoUrl, env, signal })
  } catch (cause) {
    if (!(cause instanceof IngestError) || !['commit_unknown', 'git_failed'].includes(cause.code)) throw cause
    throw new IngestError(cause.code, cause.message, {
      cause,
      hint: 'the source has no commits: name the repository with --git-dir, or a file with --commits',
    })
  }
}

/** Reads commits as lines of JSON with the nine fields of a commit file. */
async function readCommits(path: string, { signal }: Context): Promise<ReadonlyMap<string, Commit>> {
  const commits = new Map<string, Commit>()
  const { sources, release } = await openSources([path], { rereadable: false, signal })
  try {
    for (const source of sources)
      for await (const { bytes } of lineBlocks(await source.open()))
        for (const line of bytes
          .toString('utf8')
          .split('\n')
          .filter(text => text.trim() !== '')) {
          const commit = parseCommit(path, Buffer.from(line))
          commits.set(commit.sha, commit)
        }
  } finally {
    await release()
  }
  return commits
}
