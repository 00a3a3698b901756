/** Translates git's error messages into errors with hints. */

import { IngestError, type ErrorCode } from '../errors.js'
import { runGit, type GitContext } from './git-process.js'

export type FailedAnswer = { readonly stderr: string; readonly cause: Error }

type Diagnosis = { readonly code: ErrorCode; readonly message: string; readonly hint: string }

const COMMIT_FILE = 'describe the commit with --commit FILE.json'

/** The error for a failed `git show` of `sha`, or of HEAD if undefined. May run git once more to find the right hint. */
export async function showFailure(
  sha: string | undefined,
  { stderr, cause }: FailedAnswer,
  context: GitContext,
): Promise<IngestError> {
  const { code, message, hint } =
    repositoryDiagnosis(stderr, context) ?? (await commitDiagnosis(sha, stderr, context)) ?? unrecognised(stderr, cause)
  return new IngestError(code, message, { cause, hint })
}

function repositoryDiagnosis(stderr: string, { gitDir, env }: GitContext): Diagnosis | undefined {
  const repository = gitDir ?? env.GIT_DIR ?? 'the current directory'
  if (stderr.includes('not a git repository')) {
    const hint = `run inside the repository, name it with --git-dir DIR, or ${COMMIT_FILE}`
    return { code: 'commit_unknown', message: `${repository} is not a git repository`, hint }
  }
  if (stderr.includes('cannot change to')) {
    const hint = '--git-dir takes a directory: a work tree or a .git directory'
    return { code: 'commit_unknown', message: `${repository} is not a directory that git can enter`, hint }
  }
  if (/dubious ownership|unsafe repository/.test(stderr)) {
    const hint = `if you trust it, run: ${trustCommand(stderr, gitDir)}`
    return {
      code: 'git_failed',
      message: `git refuses ${repository}: it belongs to another user (dubious ownership)`,
      hint,
    }
  }
  return undefined
}

/** The command that makes git trust the directory, preferably as git prints it, because git compares the exact spelling. */
function trustCommand(stderr: string, gitDir: string | undefined): string {
  const printed = /git config --global --add safe\.directory .+/.exec(stderr)?.[0]
  return printed ?? `git config --global --add safe.directory ${gitDir ?? '"$PWD"'}`
}

async function commitDiagnosis(
  sha: string | undefined,
  stderr: string,
  context: GitContext,
): Promise<Diagnosis | undefined> {
  if (!/bad revision|bad object|unknown revision/.test(stderr)) return undefined
  const code = 'commit_unknown'
  if (sha === undefined) {
    return { code, message: 'HEAD names no commit', hint: `commit first, check out a commit, or ${COMMIT_FILE}` }
  }
  if (stderr.includes('expected commit type')) {
    return { code, message: `${sha} is not a commit`, hint: `\`git cat-file -t ${sha}\` says what it is` }
  }
  return { code, message: `commit ${sha} is not in this repository`, hint: await fetchHint(sha, context) }
}

async function fetchHint(sha: string, context: GitContext): Promise<string> {
  const where = context.gitDir === undefined ? '' : ` in ${context.gitDir}`
  const shallow = await runGit(['rev-parse', '--is-shallow-repository'], context)
  if (!shallow.ok || shallow.stdout.trim() !== 'true')
    return `run \`git fetch origin ${sha}\`${where}, or ${COMMIT_FILE}`
  return (
    `the clone is shallow: run \`git fetch --depth=1 origin ${sha}\`${where}; ` +
    `in GitHub Actions give actions/checkout \`fetch-depth: 0\``
  )
}

function unrecognised(stderr: string, cause: Error): Diagnosis {
  const gitMessage = /^(?:fatal|error): (.+)$/m.exec(stderr)?.[1] ?? cause.message
  return {
    code: 'git_failed',
    message: `git cannot read the commit: ${gitMessage}`,
    hint: `repair the repository, or ${COMMIT_FILE}`,
  }
}
