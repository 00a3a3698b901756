/** Reads the commit, repository and run from the environment variables of CI services, and creates the run_meta. */

import { isFullSha, type RunMeta } from '../contract/commit.js'
import { webAddress } from '../contract/delivery-origin.js'
import type { CiAttempt } from '../contract/generation.js'
import { repoWebUrl } from './repo-url.js'
import { SCHEMA_VERSION } from '../contract/kinds.js'

export type Environment = Readonly<Record<string, string | undefined>>

type CiName = 'GitHub Actions' | 'GitLab CI' | 'Buildkite' | 'CircleCI' | 'unknown CI'

export type CiRun = {
  readonly name: CiName
  /** 40 lowercase hex digits. */
  readonly sha?: string
  /** The repository's https URL without credentials or `.git`. */
  readonly repoUrl?: string
  /** `<job>@<run id>`; on GitHub `<workflow file>@<run id>`. @see contract section 2 */
  readonly benchmarkId?: string
  readonly attempt?: CiAttempt
}

/** Unvalidated values from the service's variables. */
type Facts = {
  readonly sha?: string | undefined
  readonly remote?: string | undefined
  /** The name of the job or workflow, and the id of its run. */
  readonly job?: readonly [string | undefined, string | undefined]
  /** The project or job whose runs are numbered together, the number of the run, and the number of its attempt. */
  readonly numbers?: readonly [string | undefined, string | undefined, string | undefined]
}

type Service = {
  readonly name: CiName
  readonly isActive: (env: Environment) => boolean
  readonly facts: (env: Environment) => Facts
}

/** Known services in order of precedence. The fallback is last. */
const SERVICES: readonly Service[] = [
  {
    name: 'GitHub Actions',
    isActive: env => isTrue(env.GITHUB_ACTIONS),
    facts: env => ({
      sha: env.GITHUB_SHA,
      remote: githubRemote(env),
      job: [workflowFile(env.GITHUB_WORKFLOW_REF) ?? env.GITHUB_WORKFLOW, env.GITHUB_RUN_ID],
      numbers: [githubRemote(env), env.GITHUB_RUN_ID, env.GITHUB_RUN_ATTEMPT],
    }),
  },
  {
    name: 'GitLab CI',
    isActive: env => isTrue(env.GITLAB_CI),
    facts: env => ({
      sha: env.CI_COMMIT_SHA,
      remote: env.CI_PROJECT_URL,
      job: [env.CI_JOB_NAME, env.CI_PIPELINE_ID ?? env.CI_JOB_ID],
      // A job that is retried gets a new and greater id. The ids of different jobs say nothing about their order.
      numbers: [joinNames(env.CI_PROJECT_URL, env.CI_JOB_NAME), env.CI_PIPELINE_ID, env.CI_JOB_ID],
    }),
  },
  {
    name: 'Buildkite',
    isActive: env => isTrue(env.BUILDKITE),
    facts: env => ({
      // Contains the word HEAD in builds that were started manually. Anything but a sha is ignored and git is asked instead.
      sha: env.BUILDKITE_COMMIT,
      remote: env.BUILDKITE_REPO,
      job: [env.BUILDKITE_PIPELINE_SLUG, env.BUILDKITE_BUILD_ID ?? env.BUILDKITE_BUILD_NUMBER],
      numbers: [
        joinNames(
          env.BUILDKITE_PIPELINE_ID,
          env.BUILDKITE_STEP_KEY || env.BUILDKITE_LABEL,
          env.BUILDKITE_PARALLEL_JOB ?? '',
        ),
        env.BUILDKITE_BUILD_NUMBER,
        env.BUILDKITE_RETRY_COUNT,
      ],
    }),
  },
  {
    name: 'CircleCI',
    isActive: env => isTrue(env.CIRCLECI),
    facts: env => ({
      sha: env.CIRCLE_SHA1,
      remote: env.CIRCLE_REPOSITORY_URL,
      job: [env.CIRCLE_JOB, env.CIRCLE_WORKFLOW_ID ?? env.CIRCLE_BUILD_NUM],
    }),
  },
  { name: 'unknown CI', isActive: env => isTrue(env.CI), facts: () => ({}) },
]

/**
 * Detects the CI run that `env` describes; undefined outside of CI. Values are untrusted, so invalid ones are left out.
 */
export function detectCi(env: Environment): CiRun | undefined {
  const service = SERVICES.find(({ isActive }) => isActive(env))
  return service && ciRun(service.name, service.facts(env))
}

function ciRun(name: CiName, { sha, remote, job = [undefined, undefined], numbers }: Facts): CiRun {
  const fullSha = plainText(sha)?.toLowerCase()
  const repoUrl = remote === undefined ? undefined : repoWebUrl(remote)
  const benchmarkId = job.flatMap(part => plainText(part) ?? []).join('@')
  return {
    name,
    ...(fullSha !== undefined && isFullSha(fullSha) && { sha: fullSha }),
    ...(repoUrl !== undefined && { repoUrl }),
    ...(benchmarkId !== '' && { benchmarkId }),
    ...ciAttempt(name, numbers),
  }
}

/** The web page of the attempt of the CI run; undefined when the service does not say. */
export function ciRunUrl(env: Environment): string | undefined {
  const {
    GITHUB_RUN_ID: run,
    GITHUB_RUN_ATTEMPT: attempt,
    CI_JOB_URL: gitlab,
    BUILDKITE_BUILD_URL: buildkite,
    CIRCLE_BUILD_URL: circle,
  } = env
  const github = githubRemote(env)
  const ofAttempt = isNumber(attempt) ? `/attempts/${attempt}` : ''
  return webAddress(github && run ? `${github}/actions/runs/${run}${ofAttempt}` : gitlab || buildkite || circle)
}

/** A job of a project; undefined when one of its names is unknown. */
function joinNames(...names: readonly (string | undefined)[]): string | undefined {
  return names.includes(undefined) ? undefined : names.join(' ').trim()
}

/** Empty unless the service numbers both runs and attempts, because a run without attempts may have been repeated. */
function ciAttempt(
  name: CiName,
  numbers: Facts['numbers'] = [undefined, undefined, undefined],
): Pick<CiRun, 'attempt'> {
  const [project, run, attempt] = numbers.map(plainText)
  if (project === undefined || !isNumber(run) || !isNumber(attempt)) return {}
  return { attempt: { producer: `${name} ${project}`, run: Number(run), attempt: Number(attempt) } }
}

function isNumber(text: string | undefined): boolean {
  return /^\d+$/.test(text ?? '') && Number.isSafeInteger(Number(text))
}

/** Extracts `bench.yml` from `owner/repo/.github/workflows/bench.yml@refs/heads/x`. The ref may contain slashes and @ too. */
function workflowFile(ref: string | undefined): string | undefined {
  return /([^/]+\.ya?ml)@/.exec(ref ?? '')?.[1]
}

function githubRemote({ GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository }: Environment): string | undefined {
  return server && repository ? `${server}/${repository}` : undefined
}

/** Replaces control characters by spaces, so that they do not reach terminals and database rows. */
function plainText(value: string | undefined): string | undefined {
  return value?.replace(/\p{Cc}+/gu, ' ').trim() || undefined
}

export function isTrue(value: string | undefined): boolean {
  return !['', '0', 'false'].includes((value ?? '').trim().toLowerCase())
}

export type RunOptions = {
  /** The benchmark id given by the user. Takes precedence over the one from CI. */
  readonly benchmarkId?: string | undefined
  readonly ci?: CiRun | undefined
  readonly now: () => Date
}

/** The run_meta of a run that starts now. The benchmark id defaults to `local` outside of CI. */
export function runMeta({ benchmarkId, ci, now }: RunOptions): RunMeta {
  return {
    benchmark_id: benchmarkId ?? ci?.benchmarkId ?? ci?.name ?? 'local',
    schema_version: SCHEMA_VERSION,
    started_at: now().toISOString(),
  }
}
