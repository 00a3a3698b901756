/** Finds the API of the service that hosts a repository, and the token for it in the environment. */

import { detectCi, type Environment } from '../commit/ci.js'
import { assertSendable } from '../http/site-address.js'

export type HostingService = 'github' | 'gitlab'

/** A repository and the API of the service that hosts it. */
export type Hosting = {
  readonly service: HostingService
  /** Without a trailing slash, such as `https://api.github.com` or `https://gitlab.com/api/v4`. */
  readonly api: string
  /** Path of the repository's routes, such as `/repos/owner/name` or `/projects/group%2Fname`. */
  readonly path: string
  readonly token: HostingToken | undefined
}

export type HostingToken = {
  /** The variable that holds the token, for messages. */
  readonly variable: string
  readonly value: string
}

/** The variables that may hold a token, in order of precedence. GitLab's own token of a job may use few routes. */
export const TOKEN_VARIABLES = {
  github: ['GITHUB_TOKEN', 'GH_TOKEN'],
  gitlab: ['GITLAB_TOKEN', 'CI_JOB_TOKEN'],
} as const satisfies Record<HostingService, readonly string[]>

/**
 * Finds the service from the repository's address. A token is only ever sent to the service that it belongs to.
 * @param repoUrl https address of the repository. Default: that of the CI run
 * @returns undefined when the repository is on another service, or unknown
 */
export function findHosting(env: Environment, repoUrl = detectCi(env)?.repoUrl): Hosting | undefined {
  if (repoUrl === undefined || !URL.canParse(repoUrl)) return undefined
  const url = new URL(repoUrl)
  const github = githubApi(url, env)
  if (github !== undefined) {
    const path = `/repos${url.pathname}`
    return { service: 'github', api: withoutSlash(github), path, token: findToken('github', env) }
  }
  const gitlab = gitlabApi(url, env)
  if (gitlab === undefined) return undefined
  const path = `/projects/${encodeURIComponent(gitlabProject(url, env))}`
  return { service: 'gitlab', api: withoutSlash(gitlab), path, token: findToken('gitlab', env) }
}

function githubApi({ host }: URL, { GITHUB_API_URL: api, GITHUB_SERVER_URL: server }: Environment): string | undefined {
  if (api && hostOf(server ?? api) === host) return api
  return host === 'github.com' ? 'https://api.github.com' : undefined
}

function gitlabApi({ host, origin }: URL, env: Environment): string | undefined {
  const { CI_API_V4_URL: api, CI_PROJECT_URL: project } = env
  if (api && hostOf(project ?? api) === host) return api
  return host === 'gitlab.com' || host.startsWith('gitlab.') ? `${origin}/api/v4` : undefined
}

/** The path of a project. GitLab may be installed below a path of its server, which the address of a project then has too. */
function gitlabProject({ pathname }: URL, { CI_PROJECT_PATH: path }: Environment): string {
  return path && pathname.endsWith(`/${path}`) ? path : pathname.slice(1)
}

function hostOf(address: string | undefined): string | undefined {
  return address !== undefined && URL.canParse(address) ? new URL(address).host : undefined
}

function withoutSlash(address: string): string {
  return address.replace(/\/+$/, '')
}

function findToken(service: HostingService, env: Environment): HostingToken | undefined {
  for (const variable of TOKEN_VARIABLES[service]) {
    const value = env[variable]?.trim()
    if (value) return { variable, value: assertSendable(value, variable) }
  }
  return undefined
}
