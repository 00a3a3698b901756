/** Detects CI runs that have no access to secrets, such as pull requests from forks or by bots. */

import { readFile } from 'node:fs/promises'
import { detectCi, type Environment } from '../commit/ci.js'
import { isLoopback } from '../http/loopback.js'
import type { ServerFlags } from './server.js'
import type { TargetFlags } from './target.js'

export type MissingSecrets = {
  /** The empty or missing variables. */
  readonly names: readonly string[]
  readonly isFork: boolean
}

/** The secrets that this push needs and the CI run lacks; undefined outside CI and when none is missing. */
export async function missingSecrets(
  flags: TargetFlags & ServerFlags,
  env: Environment,
): Promise<MissingSecrets | undefined> {
  if (detectCi(env) === undefined) return undefined
  const isFork = await isForksPullRequest(env)
  const names = [...serverSecrets(flags, env, isFork), ...postgresSecrets(flags, env)]
  return names.length === 0 ? undefined : { names, isFork }
}

/**
 * CI passes an inaccessible secret as an empty string. In a fork's pull request the variable may be missing altogether.
 */
function serverSecrets({ server, tokenEnv, tokenFile }: ServerFlags, env: Environment, isFork: boolean): string[] {
  if (server === '') return ['VORTEX_INGEST_SERVER']
  if (server === undefined || tokenFile !== undefined || isLocal(server)) return []
  const name = tokenEnv ?? 'INGEST_BEARER_TOKEN'
  // An unset variable that --token-env names is not reported, because its name may be the token, given by mistake.
  const isEmpty = env[name]?.trim() === '' || (isFork && tokenEnv === undefined && env[name] === undefined)
  return isEmpty ? [name] : []
}

/** Only empty variables count as missing. Unset ones may be replaced by a file or by a role of the machine. */
function postgresSecrets({ postgres }: TargetFlags, env: Environment): string[] {
  if (postgres === '') return ['VORTEX_INGEST_POSTGRES']
  if (postgres === undefined) return []
  return ['PGPASSWORD', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].filter(name => env[name] === '')
}

function isLocal(server: string): boolean {
  return URL.canParse(server) && isLoopback(new URL(server).hostname)
}

type PullRequest = { readonly pull_request?: { readonly head?: { readonly repo?: { readonly full_name?: unknown } } } }

/** Whether this is a pull request from another repository, which gets no secrets from GitHub. */
async function isForksPullRequest(env: Environment): Promise<boolean> {
  if (env['GITHUB_ACTIONS'] !== 'true' || env['GITHUB_EVENT_NAME'] !== 'pull_request') return false
  try {
    const event = JSON.parse(await readFile(env['GITHUB_EVENT_PATH'] ?? '', 'utf8')) as PullRequest
    // A deleted fork has no repository in the event.
    return event.pull_request !== undefined && event.pull_request.head?.repo?.full_name !== env['GITHUB_REPOSITORY']
  } catch {
    return false
  }
}
