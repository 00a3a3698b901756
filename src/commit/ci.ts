/** What the environment of a CI service says about the run: which service, which commit, which repository. */

import { isFullSha } from './full-sha.js'
import { repoWebUrl } from './repo-url.js'

export type Environment = Readonly<Record<string, string | undefined>>

export type CiName = 'GitHub Actions' | 'GitLab CI' | 'Buildkite' | 'CircleCI' | 'unknown CI'

export type CiRun = {
  readonly name: CiName
  /** 40 lowercase hex digits. */
  readonly sha?: string
  /** https, without credentials or `.git`. */
  readonly repoUrl?: string
  /** `<what ran>@<which run>`; on GitHub `<workflow file>@<run id>`. @see contract section 2 */
  readonly benchmarkId?: string
}

/** Values as the service has them: untrusted, possibly missing. */
type Facts = {
  readonly sha?: string | undefined
  readonly remote?: string | undefined
  /** What ran and which run of it. */
  readonly job?: readonly [string | undefined, string | undefined]
}

type Service = {
  readonly name: CiName
  readonly isHere: (env: Environment) => boolean
  readonly facts: (env: Environment) => Facts
}

/** The first that matches wins, so the fallback stands last. */
const SERVICES: readonly Service[] = [
  {
    name: 'GitHub Actions',
    isHere: env => isOn(env.GITHUB_ACTIONS),
    facts: env => ({
      sha: env.GITHUB_SHA,
      remote: githubRemote(env),
      job: [workflowFile(env.GITHUB_WORKFLOW_REF) ?? env.GITHUB_WORKFLOW, env.GITHUB_RUN_ID],
    }),
  },
  {
    name: 'GitLab CI',
    isHere: env => isOn(env.GITLAB_CI),
    facts: env => ({
      sha: env.CI_COMMIT_SHA,
      remote: env.CI_PROJECT_URL,
      job: [env.CI_JOB_NAME, env.CI_PIPELINE_ID ?? env.CI_JOB_ID],
    }),
  },
  {
    name: 'Buildkite',
    isHere: env => isOn(env.BUILDKITE),
    facts: env => ({
      // A build started by hand carries the word HEAD here; like any other non-sha it is left to git.
      sha: env.BUILDKITE_COMMIT,
      remote: env.BUILDKITE_REPO,
      job: [env.BUILDKITE_PIPELINE_SLUG, env.BUILDKITE_BUILD_ID ?? env.BUILDKITE_BUILD_NUMBER],
    }),
  },
  {
    name: 'CircleCI',
    isHere: env => isOn(env.CIRCLECI),
    facts: env => ({
      sha: env.CIRCLE_SHA1,
      remote: env.CIRCLE_REPOSITORY_URL,
      job: [env.CIRCLE_JOB, env.CIRCLE_WORKFLOW_ID ?? env.CIRCLE_BUILD_NUM],
    }),
  },
  { name: 'unknown CI', isHere: env => isOn(env.CI), facts: () => ({}) },
]

/**
 * The CI run that `env` describes, or `undefined` outside of CI.
 * Environment values are untrusted: one that is not what its name promises is left out, never passed on.
 */
export function detectCi(env: Environment): CiRun | undefined {
  const service = SERVICES.find(({ isHere }) => isHere(env))
  return service && ciRun(service.name, service.facts(env))
}

function ciRun(name: CiName, { sha, remote, job = [undefined, undefined] }: Facts): CiRun {
  const fullSha = plainText(sha)?.toLowerCase()
  const repoUrl = remote === undefined ? undefined : repoWebUrl(remote)
  const benchmarkId = job.flatMap(part => plainText(part) ?? []).join('@')
  return {
    name,
    ...(fullSha !== undefined && isFullSha(fullSha) && { sha: fullSha }),
    ...(repoUrl !== undefined && { repoUrl }),
    ...(benchmarkId !== '' && { benchmarkId }),
  }
}

/** `bench.yml` of `owner/repo/.github/workflows/bench.yml@refs/heads/x`: the ref may hold slashes and @ as well. */
function workflowFile(ref: string | undefined): string | undefined {
  return /([^/]+\.ya?ml)@/.exec(ref ?? '')?.[1]
}

function githubRemote({ GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository }: Environment): string | undefined {
  return server && repository ? `${server}/${repository}` : undefined
}

/** Control characters would reach terminals and database rows. */
function plainText(value: string | undefined): string | undefined {
  return value?.replace(/\p{Cc}+/gu, ' ').trim() || undefined
}

function isOn(value: string | undefined): boolean {
  return !['', '0', 'false'].includes((value ?? '').trim().toLowerCase())
}
