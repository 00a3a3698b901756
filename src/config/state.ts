/** The configuration of the state. */

import type { Environment } from '../commit/ci.js'
import { IngestError } from '../errors.js'
import { parseStorageAddress, type StorageAddress } from '../storage/address.js'
import { ENV_PREFIX } from './environment.js'
import type { OptionValues } from './option.js'

export const STATE_OPTIONS = {
  state: {
    value: '<place>',
    help: 'state that tracks queued and delivered records: a folder or s3://bucket/prefix',
  },
} as const

export type StateFlags = OptionValues<typeof STATE_OPTIONS> & { readonly retryDeadline?: number | undefined }

export type StateConfig = {
  readonly address: StorageAddress
  /** Lease duration: a process that has not renewed its lease for so long counts as dead. */
  readonly leaseMs: number
  /** How long to wait for a lease that another process holds. */
  readonly waitMs: number
}

const LEASE_VARIABLE = `${ENV_PREFIX}STATE_LEASE`
const LEASE_SECONDS = 30
const WAIT_SECONDS = 120

/**
 * The state's configuration; undefined without a state.
 * @throws {IngestError} `usage` when the address is invalid
 * @throws {IngestError} `config_invalid` when the lease variable is invalid
 */
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

/** The value of the variable that sets --state. */
export function stateVariable(env: Environment): string | undefined {
  return env[`${ENV_PREFIX}STATE`] || undefined
}

/**
 * The state's configuration, for commands that need a state.
 * @throws {IngestError} `usage` when there is none
 */
export function requiredStateConfig(flags: StateFlags, env: Environment): StateConfig {
  const config = stateConfig(flags, env)
  if (config !== undefined) return config
  const hint = `give --state DIR or --state s3://BUCKET/PREFIX, or set ${ENV_PREFIX}STATE`
  throw new IngestError('usage', 'missing state', { hint })
}

function leaseSeconds(env: Environment): number {
  const text = env[LEASE_VARIABLE]
  if (text === undefined || text === '') return LEASE_SECONDS
  const seconds = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && seconds > 0 && seconds <= 3600) return seconds
  throw new IngestError('config_invalid', `${LEASE_VARIABLE} must be a number of seconds up to 3600, got ${text}`)
}
