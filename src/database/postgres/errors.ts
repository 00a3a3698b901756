/** Converts errors of pg, TLS and the network into one clear error with a hint. */

import { IngestError, isSqlState, messageOf, systemCodeOf, type ErrorCode } from '../../errors.js'
import { hideSecret, redact } from '../../redact.js'
import { meaningOfState } from '../sql-state.js'
import { describeAddress, type PostgresAddress } from './dsn.js'

/** Converts any error into an `IngestError`. An `IngestError` is returned unchanged. */
export function toPostgresError(error: unknown, address: PostgresAddress): IngestError {
  if (error instanceof IngestError) return error
  const hasFailedOver = address.mayFailOver === true && systemCodeOf(error) === READ_ONLY
  const { code, message, hint } = hasFailedOver ? FAILED_OVER : findMeaning(error)
  const shown = hideSecrets(toOneLine(message ?? messageWithDetails(error)), address.password)
  const where = describeAddress(address)
  const advice = hint ?? serverHint(error, address)
  return new IngestError(code, `${where}: ${shown}`, { cause: error, ...(advice && { hint: advice }) })
}

/** The hint that Postgres itself gives for some errors, such as "Check free disk space." when a quota is used up. */
function serverHint(error: unknown, { password }: PostgresAddress): string | undefined {
  const { hint } = error as { hint?: unknown }
  return typeof hint === 'string' && hint !== '' ? hideSecrets(toOneLine(hint), password) : undefined
}

function findMeaning(error: unknown): Meaning {
  const code = systemCodeOf(error) ?? ''
  const byState = isSqlState(code) ? (BY_SQLSTATE[code] ?? meaningOfState(code)) : undefined
  const byCode = BY_SYSTEM_CODE[code] ?? BY_SYSTEM_CODE_PREFIX.find(([prefix]) => code.startsWith(prefix))?.[1]
  const isToldByMessage = code === '' || code === POOLER_STATE
  const byMessage = isToldByMessage ? BY_MESSAGE.find(([pattern]) => pattern.test(messageOf(error)))?.[1] : undefined
  return byMessage ?? byState ?? byCode ?? { code: 'target_failed' }
}

/** The server's message together with the fields `detail` and `where`, in which Postgres names the row and column. */
function messageWithDetails(error: unknown): string {
  const { detail, where } = error as { detail?: unknown; where?: unknown }
  const extra = [detail, where].filter(text => typeof text === 'string' && text !== '')
  return extra.length > 0 ? `${messageOf(error)} (${extra.join('; ')})` : messageOf(error)
}

function toOneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 500 ? `${line.slice(0, 500)}…` : line
}

function hideSecrets(text: string, password: string | undefined): string {
  return redact(hideSecret(text, password))
}

type Meaning = {
  readonly code: ErrorCode
  /** Replaces the original message. Default: the original message. */
  readonly message?: string
  readonly hint?: string
}

const MIGRATE = 'create or update its tables with `vortex-ingest migrate <dsn>`'
const GIVE_AUTHORITY =
  'name the file with its authority: sslrootcert=FILE in the DSN (for RDS in a new region, the bundle that AWS publishes)'

const down = (message: string, hint = 'check host and port, and that the server runs and may be reached from here') =>
  ({ code: 'target_unreachable', message, hint }) as const
const misconfigured = (message: string, hint: string) => ({ code: 'target_misconfigured', message, hint }) as const

const READ_ONLY = '25006'
const FAILED_OVER: Meaning = {
  code: 'target_unreachable',
  hint: 'it became read-only: another host is the primary now',
}

/** Meanings by the `code` of a Node error. */
const BY_SYSTEM_CODE: Readonly<Record<string, Meaning>> = {
  ECONNREFUSED: down('connection refused'),
  ENOTFOUND: down('the host name does not exist'),
  EAI_AGAIN: down('the host name could not be looked up'),
  EHOSTUNREACH: down('no route to the host'),
  ENETUNREACH: down('no route to the network'),
  EADDRNOTAVAIL: down('no route to the host'),
  ETIMEDOUT: down('no answer in time'),
  ECONNRESET: down('the connection was lost', 'try again'),
  ECONNABORTED: down('the connection was lost', 'try again'),
  EPIPE: down('the connection was lost', 'try again'),
  DEPTH_ZERO_SELF_SIGNED_CERT: misconfigured('its certificate is self-signed', GIVE_AUTHORITY),
  SELF_SIGNED_CERT_IN_CHAIN: misconfigured('its certificate is from an unknown authority', GIVE_AUTHORITY),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: misconfigured('its certificate is from an unknown authority', GIVE_AUTHORITY),
  UNABLE_TO_GET_ISSUER_CERT: misconfigured('its certificate is from an unknown authority', GIVE_AUTHORITY),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: misconfigured('its certificate is from an unknown authority', GIVE_AUTHORITY),
  CERT_HAS_EXPIRED: misconfigured('its certificate has expired', 'renew it, or check the clock of this machine'),
  CERT_NOT_YET_VALID: misconfigured('its certificate is not valid yet', 'check the clock of this machine'),
  ERR_TLS_CERT_ALTNAME_INVALID: {
    code: 'target_misconfigured',
    hint: 'connect by a name that is in the certificate',
  },
}

/** Meanings by the prefix of a Node error's code, for codes that the table above lacks. */
const BY_SYSTEM_CODE_PREFIX: readonly (readonly [string, Meaning])[] = [
  ['ERR_TLS_', { code: 'target_misconfigured', hint: 'check the TLS settings of the server' }],
  ['ERR_SSL_', { code: 'target_misconfigured', hint: 'the server must speak TLS 1.2 or newer' }],
  ['EPROTO', { code: 'target_misconfigured', hint: 'the server must speak TLS 1.2 or newer' }],
  ['CERT_', { code: 'target_misconfigured', hint: 'check the certificate of the server' }],
]

/** Meanings by SQLSTATE, with hints for a server. `meaningOfState` has all others. */
const BY_SQLSTATE: Readonly<Record<string, Meaning>> = {
  '28P01': { code: 'auth_failed', hint: 'check user and password; an RDS IAM token lasts 15 minutes' },
  '42501': { code: 'auth_failed', hint: 'GRANT it to the user, or let `vortex-ingest migrate <dsn>` do so' },
  '3D000': { code: 'target_misconfigured', hint: 'create it with CREATE DATABASE, then `vortex-ingest migrate <dsn>`' },
  '3F000': { code: 'target_misconfigured', hint: MIGRATE },
  '42P01': { code: 'target_misconfigured', hint: MIGRATE },
  '42703': { code: 'target_misconfigured', hint: MIGRATE },
  // There is no unique index for ON CONFLICT, so the tables were created by another program.
  '42P10': { code: 'target_misconfigured', hint: MIGRATE },
  // Answered by engines that speak the Postgres protocol but lack a required feature (docs/adr/0009).
  '0A000': { code: 'target_misconfigured', hint: 'it must be a PostgreSQL, or a pooler in front of one' },
  '25006': {
    code: 'target_misconfigured',
    hint: 'it may be a replica: connect to the primary, or default_transaction_read_only is on',
  },
  '53300': { code: 'target_unreachable', hint: 'try again, or raise max_connections' },
  '53100': { code: 'target_failed', hint: 'free disk space on the server' },
  '57014': { code: 'target_failed', hint: 'someone cancelled it, or statement_timeout is too short' },
}

/** The SQLSTATE that poolers use for every error, so that only the message tells errors apart. */
export const POOLER_STATE = '08P01'

/** Meanings by message, for errors of pg without a code and for errors of a pooler. */
const BY_MESSAGE: readonly (readonly [RegExp, Meaning])[] = [
  [
    /does not support SSL/,
    misconfigured(
      'the server has no TLS',
      'turn on `ssl` in the server; only a loopback address may go without (--insecure-local)',
    ),
  ],
  [
    /establishing an SSL connection/,
    misconfigured(
      'the server is not Postgres',
      'check host and port: the connection uses TLS in the Postgres protocol',
    ),
  ],
  [
    /^SASL:.*(must be a|non-empty) string/,
    {
      code: 'auth_failed',
      message: 'the server asks for a password, but none is given',
      hint: 'give the DSN a password, or set PGPASSWORD',
    },
  ],
  [
    /statement pooling mode/,
    misconfigured(
      'the pooler takes no transactions (pool_mode = statement)',
      'set pool_mode to transaction or session, or connect to the server itself',
    ),
  ],
  [/no such database/, { code: 'target_misconfigured', hint: 'name a database that the pooler knows' }],
  [
    /^SASL|password|no such user|(auth|login) failed/i,
    { code: 'auth_failed', hint: 'check user and password, and the authentication methods of the server' },
  ],
  [/^timeout expired/, down('no answer in time')],
  [/connection terminated|not queryable|socket (hang up|disconnected)/i, down('the connection was lost', 'try again')],
]
