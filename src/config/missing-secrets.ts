/** A CI run that was not given its secrets: a fork's pull request, or one of a bot. */

import { readFile } from 'node:fs/promises'
import { detectCi, type Environment } from '../commit/ci.js'
import { isLoopback } from '../sink/loopback.js'
import type { ServerFlags } from './server.js'
import type { TargetFlags } from './target.js'

export type MissingSecrets = {
  /** The variables that hold nothing. */
  readonly names: readonly string[]
  readonly isFork: boolean
}

/** @returns undefined outside of CI, and where nothing that this push needs is missing */
export async function missingSecrets(
  flags: TargetFlags & ServerFlags,
  env: Environment,
): Promise<MissingSecrets | undefined> {
  if (detectCi(env) === undefined) return undefined
  const isFork = await isForksPullRequest(env)
  const names = [...serverSecrets(flags, env, isFork), ...postgresSecrets(flags, env)]
  return names.length === 0 ? undefined : { names, isFork }
}

/** A secret that a run may not have is an empty string to it; to a fork's, the variable may not be there at all. */
function serverSecrets({ server, tokenEnv, tokenFile }: ServerFlags, env: Environment, isFork: boolean): string[] {
  if (server === '') return ['VORTEX_INGEST_SERVER']
  if (server === undefined || tokenFile !== undefined || isLocal(server)) return []
  const name = tokenEnv ?? 'INGEST_BEARER_TOKEN'
  // By its name only where it is one: it may be the token itself, in the wrong place.
  const isEmpty = env[name]?.trim() === '' || (isFork && tokenEnv === undefined && env[name] === undefined)
  return isEmpty ? [name] : []
}

/** What is not set at all may come from somewhere else: a file, a role of the machine. */
function postgresSecrets({ postgres }: TargetFlags, env: Environment): string[] {
  if (postgres === '') return ['VORTEX_INGEST_POSTGRES']
  if (postgres === undefined) return []
  return ['PGPASSWORD', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].filter(name => env[name] === '')
}

function isLocal(server: string): boolean {
  return URL.canParse(server) && isLoopback(new URL(server).hostname)
}

type PullRequest = { readonly pull_request?: { readonly head?: { readonly repo?: { readonly full_name?: unknown } } } }

/** Whether GitHub runs this for a branch of another repository, which gets no secrets. */
async function isForksPullRequest(env: Environment): Promise<boolean> {
  if (env['GITHUB_ACTIONS'] !== 'true' || env['GITHUB_EVENT_NAME'] !== 'pull_request') return false
  try {
    const event = JSON.parse(await readFile(env['GITHUB_EVENT_PATH'] ?? '', 'utf8')) as PullRequest
    // A fork that was deleted has no repository.
    return event.pull_request !== undefined && event.pull_request.head?.repo?.full_name !== env['GITHUB_REPOSITORY']
  } catch {
    return false
  }
}
