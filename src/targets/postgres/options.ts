/** The options of a Postgres target. */

import type { OptionValues } from '../../config/option.js'
import { PII, RETRY_DEADLINE, SECRET_ENV, WRITE_SETTING_OPTIONS } from '../shared-options.js'

export const INSECURE_LOCAL = {
  help: 'allow a connection without TLS, and any role; only for trying out a Postgres on this machine',
  needsTarget: true,
  forReading: true,
} as const

export const REGION = {
  value: '<region>',
  help: 'AWS region of the RDS token (default: from AWS_REGION, the AWS profile or the host name)',
  forReading: true,
} as const

export const ROLE_POLICY = {
  value: '<policy>',
  help: 'which Postgres role may write (default: bench_ingest)',
  choices: ['bench_ingest', 'any'],
} as const

export const POSTGRES_OPTIONS = {
  postgres: {
    value: '<dsn>',
    help: 'Postgres database, as a URL or libpq keyword string; PG* variables supply missing parts (TLS verify-full)',
    secret: 'address',
    forReading: true,
  },
  insecureLocal: INSECURE_LOCAL,
  region: REGION,
  rolePolicy: ROLE_POLICY,
} as const

export const POSTGRES_DELIVERY_OPTIONS = {
  retryDeadline: { ...RETRY_DEADLINE, default: 60 },
  ...WRITE_SETTING_OPTIONS,
  pii: PII,
} as const

export const POSTGRES_REGISTRATION = {
  secretEnv: SECRET_ENV,
  insecureLocal: INSECURE_LOCAL,
  rolePolicy: ROLE_POLICY,
  region: REGION,
  pii: PII,
} as const

export type PostgresTargetOptions = OptionValues<
  typeof POSTGRES_OPTIONS & typeof POSTGRES_DELIVERY_OPTIONS & typeof POSTGRES_REGISTRATION
>
