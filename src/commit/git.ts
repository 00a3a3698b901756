/** Reads the measured commit from git, and resolves revisions such as `main~3`. */

import type { MeasuredCommit } from '../contract/ancestry.js'
import { type Commit, isFullSha } from '../contract/commit.js'
import { quote } from '../contract/problem.js'
import { isTimestamp } from '../contract/timestamp.js'
import { IngestError } from '../errors.js'
import { readAncestry } from './ancestry.js'
import type { Environment } from './ci.js'
import { showFailure, runGit, type GitContext } from './git-process.js'
import { commitUrl, repoWebUrl } from './repo-url.js'

export type GitCommitOptions = {
  /** 40 lowercase hex digits. Default: HEAD. */
  readonly sha?: string | undefined
  /** `--git-dir`: a work tree, a `.git` directory or a bare repository. Default: the repository that git finds. */
  readonly gitDir?: string | undefined
  /** The repository's address as a remote or a web page. Default: the remote `origin`, which takes a second git process. */
  readonly repoUrl?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** The environment variables for git. Default: those of this process. */
  readonly env?: Environment | undefined
}

type GitFields = Omit<Commit, 'url'>

/** git's format placeholder for each field. %s is the subject line. %an, %ae, %cn and %ce ignore mailmaps. */
const PLACEHOLDERS = {
  sha: '%H',
  timestamp: '%cI',
  message: '%s',
  author_name: '%an',
  author_email: '%ae',
  committer_name: '%cn',
  committer_email: '%ce',
  tree_sha: '%T',
} as const satisfies Record<keyof GitFields, string>

// Fields are separated by NUL, the only character that no field of a commit can contain.
const FORMAT = Object.values(PLACEHOLDERS).join('%x00')

/** Arguments that print the format and nothing else. They override log.showSignature and i18n.logOutputEncoding. */
const SHOW_ARGUMENTS = ['show', '-s', '--no-show-signature', '--encoding=UTF-8', `--format=${FORMAT}`]

/**
 * Reads the commit `sha`, or HEAD, and its ancestors. Runs git twice at the same time, and once more (`git remote get-url origin`)
 * only if no `repoUrl` is given, because `git show` cannot print a remote.
 * @throws {IngestError} `usage` for a sha that is not 40 lowercase hex digits or an invalid repository address;
 *   `commit_unknown` when there is no such commit, repository or remote; `git_failed` when git cannot be run or fails
 * @see contract section 2
 */
export async function readGitCommit(options: GitCommitOptions = {}): Promise<MeasuredCommit> {
  const { sha, gitDir, repoUrl, signal, env = process.env } = options
  if (sha !== undefined) checkSha(sha)
  const knownUrl = repoUrl === undefined ? undefined : parseRepoUrl(repoUrl)
  const context: GitContext = { gitDir, env, signal }
  const [fields, ancestry] = await Promise.all([showCommit(sha, context), readAncestry(sha ?? 'HEAD', context)])
  return { ...fields, url: commitUrl(knownUrl ?? (await originUrl(context)), fields.sha), ancestry }
}

function checkSha(sha: string): void {
  if (isFullSha(sha)) return
  const hint = 'give the full id in lowercase, as `git rev-parse COMMIT` prints it'
  throw new IngestError('usage', `a commit must be 40 lowercase hex digits, got ${quote(sha)}`, { hint })
}

function parseRepoUrl(repoUrl: string): string {
  const url = repoWebUrl(repoUrl)
  if (url !== undefined) return url
  // The message omits the value, because it may contain a token.
  throw new IngestError('usage', 'the repository URL cannot be converted to a web address', {
    hint: 'give it as https://HOST/OWNER/REPO or git@HOST:OWNER/REPO.git',
  })
}

/** Why git cannot read a repository; undefined when it can. */
export async function findRepositoryProblem(context: GitContext): Promise<IngestError | undefined> {
  const answer = await runGit(['rev-parse', '--git-dir'], context)
  return answer.ok ? undefined : showFailure(undefined, answer, context)
}

/** @throws {IngestError} when `gitDir` is given and git cannot read a repository there */
export async function assertRepository(context: GitContext): Promise<void> {
  const problem = context.gitDir === undefined ? undefined : await findRepositoryProblem(context)
  if (problem !== undefined) throw problem
}

async function showCommit(sha: string | undefined, context: GitContext): Promise<GitFields> {
  // The trailing -- keeps git from looking for a file with that name.
  const answer = await runGit([...SHOW_ARGUMENTS, `${sha ?? 'HEAD'}^{commit}`, '--'], context)
  if (!answer.ok) throw await showFailure(sha, answer, context)
  const fields = parseFields(answer.stdout)
  checkFields(fields, sha)
  return fields
}

function parseFields(stdout: string): GitFields {
  const names = Object.keys(PLACEHOLDERS)
  const values = stdout.replace(/\n$/, '').split('\0')
  if (values.length !== names.length) {
    const message = `git printed ${values.length} fields of a commit instead of ${names.length}`
    throw new IngestError('git_failed', message, { hint: 'describe the commit with --commit FILE.json' })
  }
  return Object.fromEntries(names.map((name, index) => [name, values[index]])) as GitFields
}

function checkFields({ sha, timestamp }: GitFields, requestedSha: string | undefined): void {
  if (requestedSha !== undefined && sha !== requestedSha) {
    const hint = `use ${sha}, or check which of the two ids is in the records`
    throw new IngestError('commit_unknown', `${requestedSha} is a tag of commit ${sha}, not a commit`, { hint })
  }
  if (!isFullSha(sha)) {
    const message = `commit ${sha} has a SHA-256 id, which the contract cannot hold: it takes 40 hex digits`
    throw new IngestError('commit_unknown', message, { hint: 'measure a repository in the SHA-1 object format' })
  }
  if (!isTimestamp(timestamp)) {
    const message = `commit ${sha} has no usable committer date, got ${quote(timestamp)}`
    throw new IngestError('commit_unknown', message, { hint: 'describe the commit with --commit FILE.json' })
  }
}

async function originUrl(context: GitContext): Promise<string> {
  const answer = await runGit(['remote', 'get-url', 'origin'], context)
  const url = answer.ok ? repoWebUrl(answer.stdout) : undefined
  if (url !== undefined) return url
  const message = answer.ok
    ? 'the address of the remote "origin" cannot be converted to a web address'
    : 'the repository has no remote "origin" to take its address from'
  throw new IngestError('commit_unknown', message, { hint: 'give it with --repo-url https://HOST/OWNER/REPO' })
}

/** @returns the commit's id; undefined when the revision is unknown, or there is no git or no repository */
export async function lookUpCommit(name: string, context: GitContext): Promise<string | undefined> {
  // git would read such a name as an option.
  if (name.startsWith('-')) return undefined
  try {
    const answer = await runGit(['rev-parse', '--verify', '--quiet', `${name}^{commit}`], context)
    return answer.ok ? answer.stdout.trim() : undefined
  } catch (error) {
    // Without git, revisions cannot be resolved, but full commit ids still work.
    if (error instanceof IngestError && error.code === 'git_failed') return undefined
    throw error
  }
}
