/** Options that several target kinds share. */

import { PII_MODES } from '../contract/pii-mode.js'
import { BYTES, NATURAL, POSITIVE, SECONDS } from '../config/option.js'

/** Write settings of a database. `tune` finds better values for them; each has a tunable of the same name. */
export const WRITE_SETTING_OPTIONS = {
  copyBytes: {
    value: '<size>',
    help: 'size of the rows that one COPY sends to a database (default: 4MiB)',
    type: BYTES,
  },
  smallRows: {
    value: '<n>',
    help: 'maximum number of records to write without staging tables (default: 5000)',
    type: NATURAL,
  },
  workMemMib: {
    value: '<n>',
    help: 'memory that a database may use for sorting, in MiB (default: 64)',
    type: POSITIVE,
  },
} as const

export const RETRY_DEADLINE = {
  value: '<seconds>',
  help: 'time limit for retries (default: 120 for a server, 60 for Postgres)',
  type: SECONDS,
} as const

/** Applies to each delivery and to a registered target; the stricter of the two counts. */
export const PII = {
  value: '<mode>',
  help: 'names, e-mail addresses and tokens in commits and texts: keep them, mask them by a keyed hash, or drop them (default: keep)',
  choices: PII_MODES,
} as const

/** The secret of a registered target. */
export const SECRET_ENV = {
  value: '<name>',
  help: 'environment variable that holds the token (server) or password (postgres)',
  secret: 'variable',
} as const
