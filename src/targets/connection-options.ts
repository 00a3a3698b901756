/** Options that targets in a network share. */

import { SECONDS } from '../config/option.js'

export const RETRY_DEADLINE = {
  value: '<seconds>',
  help: 'time limit for retries (default: 120 for a server, 60 for Postgres)',
  type: SECONDS,
} as const

/** The secret of a registered target. */
export const SECRET_ENV = {
  value: '<name>',
  help: 'environment variable that holds the token (server) or password (postgres)',
  secret: 'variable',
} as const
