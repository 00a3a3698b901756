/** Detects CI runs that have no access to secrets, such as pull requests from forks or by bots. */

import { readFile } from 'node:fs/promises'
import { detectCi, type Environment } from '../commit/ci.js'
import { namedKinds, type TargetFlags } from './kinds.js'

export type MissingSecrets = {
  /** The empty or missing variables. */
  readonly names: readonly string[]
  readonly isFork: boolean
}

/** The secrets that this push needs and the CI run lacks; undefined outside CI and when none is missing. */
export async function findMissingSecrets(flags: TargetFlags, env: Environment): Promise<MissingSecrets | undefined> {
  if (detectCi(env) === undefined) return undefined
  const isFork = await isForksPullRequest(env)
  const missing = namedKinds(flags).map(async kind => (await kind.missingSecrets?.(flags, { env, isFork })) ?? [])
  const names = (await Promise.all(missing)).flat()
  return names.length === 0 ? undefined : { names, isFork }
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
