/** Finds the pull request, or merge request, that a CI run belongs to. */

import { readFileSync, statSync } from 'node:fs'
import { isFullSha } from '../contract/commit.js'
import { isTrue, type Environment } from './ci.js'

export type PullRequest = {
  /** The number on the web page of the pull request. */
  readonly number: number
  /** The commit that the author pushed, 40 lowercase hex digits; undefined when the service does not say. */
  readonly headSha: string | undefined
  /** Whether a commit is one that the service made only for this run, by merging the pull request. No branch has it. */
  readonly isMerge: (sha: string) => boolean
  /** Whether the author's branch is in another repository. */
  readonly isFork: boolean
  /** https address of the repository that has the pull request, where it is not the one that the run belongs to. */
  readonly repoUrl?: string | undefined
}

/** @returns undefined when the run has no pull request, or is not of a known service */
export function readPullRequest(env: Environment): PullRequest | undefined {
  if (isTrue(env.GITHUB_ACTIONS)) return githubPullRequest(env)
  if (isTrue(env.GITLAB_CI)) return gitlabMergeRequest(env)
  return isTrue(env.BUILDKITE) ? buildkitePullRequest(env) : undefined
}

/** The members of a GitHub event that are used. Each may be missing or of another type, because the file is untrusted. */
type GithubEvent = {
  readonly pull_request?: {
    readonly number?: unknown
    readonly merged?: unknown
    readonly head?: { readonly sha?: unknown; readonly repo?: { readonly full_name?: unknown } | null }
  } | null
  /** Present in events about comments. A pull request is an issue with this member. */
  readonly issue?: { readonly number?: unknown; readonly pull_request?: unknown } | null
}

/** Events for which GitHub checks out a merge that it made for the run. */
const MERGING_EVENTS = ['pull_request', 'pull_request_review', 'pull_request_review_comment']

/** GitHub describes the pull request only in the event file. */
function githubPullRequest(env: Environment): PullRequest | undefined {
  const { pull_request: pull, issue } = readEvent(env.GITHUB_EVENT_PATH)
  const number = numberOf(pull?.number ?? (issue?.pull_request ? issue.number : undefined))
  if (number === undefined) return undefined
  const headSha = fullSha(pull?.head?.sha)
  const isMerged = MERGING_EVENTS.includes(env.GITHUB_EVENT_NAME ?? '') && pull?.merged !== true
  return {
    number,
    headSha,
    isMerge: sha => isMerged && sha === fullSha(env.GITHUB_SHA) && sha !== headSha,
    // A deleted fork has no repository in the event.
    isFork: Boolean(pull) && pull?.head?.repo?.full_name !== env.GITHUB_REPOSITORY,
  }
}

/** GitHub delivers events of at most 25 MB. */
const MAX_EVENT_BYTES = 64 * 1024 * 1024

function readEvent(path: string | undefined): GithubEvent {
  if (!path) return {}
  try {
    const file = statSync(path)
    if (!file.isFile() || file.size > MAX_EVENT_BYTES) return {}
    return (JSON.parse(readFileSync(path, 'utf8')) ?? {}) as GithubEvent
  } catch {
    return {}
  }
}

/**
 * The sha of the source branch is set only in pipelines of merged results and merge trains, which measure a merge. The merge
 * of a train becomes the commit of the target branch, unless the project's merge method makes another merge commit.
 */
function gitlabMergeRequest(env: Environment): PullRequest | undefined {
  const number = numberOf(env.CI_MERGE_REQUEST_IID)
  if (number === undefined) return undefined
  const isTrain = env.CI_MERGE_REQUEST_EVENT_TYPE === 'merge_train'
  const [source, measured] = [fullSha(env.CI_MERGE_REQUEST_SOURCE_BRANCH_SHA), fullSha(env.CI_COMMIT_SHA)]
  return {
    number,
    headSha: source ?? measured,
    isMerge: sha => !isTrain && source !== undefined && sha === measured && sha !== source,
    isFork: env.CI_MERGE_REQUEST_SOURCE_PROJECT_ID !== env.CI_MERGE_REQUEST_PROJECT_ID,
    // A merge request from a fork runs its pipelines in the fork.
    repoUrl: env.CI_MERGE_REQUEST_PROJECT_URL || undefined,
  }
}

/** With the setting to build the merge, the id of the merge is in no variable. */
function buildkitePullRequest(env: Environment): PullRequest | undefined {
  // Contains the word false in builds without a pull request.
  const number = numberOf(env.BUILDKITE_PULL_REQUEST)
  if (number === undefined) return undefined
  const headSha = fullSha(env.BUILDKITE_COMMIT)
  const isMerged = isTrue(env.BUILDKITE_PULL_REQUEST_USING_MERGE_REFSPEC)
  return {
    number,
    headSha,
    isMerge: sha => isMerged && headSha !== undefined && sha !== headSha,
    isFork: Boolean(env.BUILDKITE_PULL_REQUEST_REPO) && env.BUILDKITE_PULL_REQUEST_REPO !== env.BUILDKITE_REPO,
  }
}

function numberOf(value: unknown): number | undefined {
  const number = Number(
    typeof value === 'string' && /^\d+$/.test(value) ? value : typeof value === 'number' ? value : NaN,
  )
  return Number.isSafeInteger(number) && number > 0 ? number : undefined
}

function fullSha(value: unknown): string | undefined {
  const sha = typeof value === 'string' ? value.trim().toLowerCase() : ''
  return isFullSha(sha) ? sha : undefined
}
