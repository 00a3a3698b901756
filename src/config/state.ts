/** Where a command keeps what it must remember. */

import type { Environment } from '../commit/ci.js'
import { IngestError } from '../errors.js'
import { parseStorageAddress, type StorageAddress } from '../storage/address.js'
import { ENV_PREFIX } from './environment.js'

export type StateFlags = { readonly state?: string; readonly retryDeadline?: number }

export type StateConfig = {
  readonly address: StorageAddress
  /** How long a process that says nothing is taken to be alive. */
  readonly leaseMs: number
  /** How long another process that delivers the same is waited for. */
  readonly waitMs: number
}

const LEASE_VARIABLE = `${ENV_PREFIX}STATE_LEASE`
const LEASE_SECONDS = 30
const WAIT_SECONDS = 120

/** @returns undefined where nothing is to be remembered @throws {IngestError} `usage`, `config_invalid` */
export function stateConfig(
  { state, retryDeadline = WAIT_SECONDS }: StateFlags,
  env: Environment,
): StateConfig | undefined {
  if (state === undefined) return undefined
  return Object.freeze({
    address: parseStorageAddress(state),
    leaseMs: leaseSeconds(env) * 1000,
    waitMs: retryDeadline * 1000,
  })
}

/** What the variable of --state says. */
export function stateVariable(env: Environment): string | undefined {
  return env[`${ENV_PREFIX}STATE`] || undefined
}

/** For commands that are about state. @throws {IngestError} `usage` */
export function requiredStateConfig(flags: StateFlags, env: Environment): StateConfig {
  const config = stateConfig(flags, env)
  if (config !== undefined) return config
  const hint = `give --state DIR or --state s3://BUCKET/PREFIX, or set ${ENV_PREFIX}STATE`
  throw new IngestError('usage', 'no state is named', { hint })
}

function leaseSeconds(env: Environment): number {
  const text = env[LEASE_VARIABLE]
  if (text === undefined || text === '') return LEASE_SECONDS
  const seconds = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && seconds > 0 && seconds <= 3600) return seconds
  throw new IngestError('config_invalid', `${LEASE_VARIABLE} must be a number of seconds up to 3600, got ${text}`)
}
