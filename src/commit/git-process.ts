/** Runs git independently of the user's configuration, locale and environment, and translates its error messages. */

import { execFile, type ExecFileException } from 'node:child_process'
import { IngestError, type ErrorCode } from '../errors.js'
import type { Environment } from './ci.js'

export type GitContext = {
  /** A work tree, a `.git` directory, a bare repository, or a directory inside one. Default: the repository that git finds. */
  readonly gitDir?: string | undefined
  readonly env: Environment
  readonly signal?: AbortSignal | undefined
}

export type GitAnswer =
  | { readonly ok: true; readonly stdout: string }
  | { readonly ok: false; readonly stderr: string; readonly cause: Error }

/**
 * Variables that select a repository. In a git hook they name the hook's repository. The list is that of
 * `git rev-parse --local-env-vars` without the variables for configuration.
 */
const REPOSITORY_VARIABLES: ReadonlySet<string> = new Set([
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_COMMON_DIR',
  'GIT_DIR',
  'GIT_GRAFT_FILE',
  'GIT_IMPLICIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_NAMESPACE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_PREFIX',
  'GIT_SHALLOW_FILE',
  'GIT_WORK_TREE',
])

const MAX_OUTPUT_BYTES = 16 * 1024 * 1024

/**
 * Runs one git command without a shell and returns its output, or its error message in English.
 * @throws {IngestError} `git_failed` when git cannot be started or was killed
 */
export function runGit(args: readonly string[], { gitDir, env, signal }: GitContext): Promise<GitAnswer> {
  signal?.throwIfAborted()
  const options = { env: gitEnvironment(env, gitDir), signal, maxBuffer: MAX_OUTPUT_BYTES, windowsHide: true }
  return new Promise((resolve, reject) => {
    execFile('git', [...globalOptions(gitDir), ...args], options, (error, stdout, stderr) => {
      if (error === null) resolve({ ok: true, stdout })
      else if (typeof error.code === 'number') resolve({ ok: false, stderr, cause: error })
      else reject(signal?.aborted === true ? abortReason(signal, error) : cannotRunError(error))
    })
  })
}

function globalOptions(gitDir: string | undefined): string[] {
  // A replacement object (`git replace`) would show another commit's fields.
  const always = ['--no-pager', '--no-replace-objects']
  if (gitDir === undefined) return always
  // git may be configured to use a bare repository or a .git directory only if it is named explicitly, as it is here.
  return [...always, '-c', 'safe.bareRepository=all', '-C', gitDir]
}

function gitEnvironment(env: Environment, gitDir: string | undefined): Record<string, string | undefined> {
  const variables = Object.entries(env).filter(([name]) => gitDir === undefined || !REPOSITORY_VARIABLES.has(name))
  // The locale makes error messages English, so that they can be recognised. git must not use the network or ask for a
  // password.
  return { ...Object.fromEntries(variables), LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', GIT_NO_LAZY_FETCH: '1' }
}

function abortReason(signal: AbortSignal, error: Error): Error {
  return signal.reason instanceof Error ? signal.reason : error
}

function cannotRunError(cause: ExecFileException): IngestError {
  if (cause.code === 'ENOENT') {
    return new IngestError('git_failed', 'git is not installed, or not on the PATH', {
      cause,
      hint: 'install git, or describe the commit with --commit FILE.json',
    })
  }
  const reason = cause.signal ? `killed by ${cause.signal}` : cause.message
  return new IngestError('git_failed', `cannot run git: ${reason}`, {
    cause,
    hint: 'check that `git --version` works, or describe the commit with --commit FILE.json',
  })
}

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
