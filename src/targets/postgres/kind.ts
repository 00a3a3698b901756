/** A Postgres database (path B) as a target kind. */

import { COPY_BYTES, SMALL_ROWS, WORK_MEM } from '../../database/tunables.js'
import type { TargetKind } from '../kind.js'
import {
  POSTGRES_DELIVERY_OPTIONS,
  POSTGRES_OPTIONS,
  POSTGRES_REGISTRATION,
  type PostgresTargetOptions,
} from './options.js'

export const POSTGRES: TargetKind<PostgresTargetOptions> = {
  kind: 'postgres',
  address: 'postgres',
  options: POSTGRES_OPTIONS,
  deliveryOptions: POSTGRES_DELIVERY_OPTIONS,
  registration: {
    address: 'DSN',
    options: POSTGRES_REGISTRATION,
    movedHint: 'the PG* variables fill in what its address leaves out: name host, port and database there',
    storedAddress: async options => (await loadConfig()).assertNoPassword(options),
  },
  tunables: [COPY_BYTES, SMALL_ROWS, WORK_MEM],
  secretVariables: ['PGPASSWORD', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'],
  async describe(options, { env }) {
    const { describePostgres } = await loadConfig()
    return describePostgres(options, env)
  },
  async targetId(options, { env }) {
    const { postgresTargetId } = await loadConfig()
    return postgresTargetId(options, env)
  },
  async open(options, world) {
    const { openPostgres } = await loadConfig()
    return openPostgres(options, world)
  },
  async checks(options, { env, now }) {
    const [{ postgresConfig }, { postgresChecks }] = await Promise.all([loadConfig(), import('./checks.js')])
    return postgresChecks(postgresConfig(options, env), now)
  },
  async openSession(options, world) {
    const { openPostgresSession } = await loadConfig()
    return openPostgresSession(options, world)
  },
  furtherSettings: async (options, world) => (await loadConfig()).postgresSettings(options, world),
  async missingSecrets({ postgres }, { env }) {
    if (postgres === '') return ['VORTEX_INGEST_POSTGRES']
    // Only empty variables count as missing. Unset ones may be replaced by a file or by a role of the machine.
    return ['PGPASSWORD', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].filter(name => env[name] === '')
  },
}

function loadConfig(): Promise<typeof import('./config.js')> {
  return import('./config.js')
}
