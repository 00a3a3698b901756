/** An ingest service (path A) as a target kind. */

import type { TargetKind } from '../kind.js'
import {
  DEFAULT_TOKEN_VARIABLE,
  SERVER_DELIVERY_OPTIONS,
  SERVER_OPTIONS,
  SERVER_REGISTRATION,
  type ServerTargetOptions,
} from './options.js'

export const SERVER: TargetKind<ServerTargetOptions> = {
  kind: 'server',
  address: 'server',
  options: SERVER_OPTIONS,
  deliveryOptions: SERVER_DELIVERY_OPTIONS,
  registration: {
    address: 'URL',
    options: SERVER_REGISTRATION,
    storedAddress: async options => (await loadConfig()).describeServerTarget(options, 'the address'),
  },
  tunables: [],
  secretVariables: [DEFAULT_TOKEN_VARIABLE],
  describe: async options => (await loadConfig()).describeServerTarget(options),
  targetId: async options => (await loadConfig()).describeServerTarget(options),
  async open(options, world) {
    const { openServer } = await loadConfig()
    return openServer(options, world)
  },
  async checks(options, world) {
    const { serverChecks } = await import('./checks.js')
    return serverChecks(options, world)
  },
  furtherSettings: async (options, { env }) => [(await loadConfig()).tokenSetting(options, env)],
  async missingSecrets({ server, tokenEnv, tokenFile }, { env, isFork }) {
    if (server === '') return ['VORTEX_INGEST_SERVER']
    if (server === undefined || tokenFile !== undefined || (await isLocal(server))) return []
    const name = tokenEnv ?? DEFAULT_TOKEN_VARIABLE
    // An unset variable that --token-env names is not reported, because its name may be the token, given by mistake.
    // In a fork's pull request the default variable may be missing altogether.
    const isMissing = env[name]?.trim() === '' || (isFork && tokenEnv === undefined && env[name] === undefined)
    return isMissing ? [name] : []
  },
}

async function isLocal(server: string): Promise<boolean> {
  if (!URL.canParse(server)) return false
  const { isLoopback } = await import('../../http/address.js')
  return isLoopback(new URL(server).hostname)
}

function loadConfig(): Promise<typeof import('./config.js')> {
  return import('./config.js')
}
