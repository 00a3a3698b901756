/** Converts errors of pg, TLS and the network into one clear error with a hint. */
import { IngestError, isSqlState, messageOf, sqlStateOf, systemCodeOf } from '../../errors.js'
import { redact } from '../../redact.js'
import { describeAddress, type PostgresAddress } from './dsn.js'
import {
  BY_MESSAGE,
  BY_SQLSTATE,
  BY_SQLSTATE_CLASS,
  BY_SYSTEM_CODE,
  BY_SYSTEM_CODE_PREFIX,
  POOLER_STATE,
  type Meaning,
} from './error-table.js'

const RETRYABLE = ['40P01', '40001', '55P03']

/** Converts any error into an `IngestError`. An `IngestError` is returned unchanged. */
export function toIngestError(error: unknown, address: PostgresAddress): IngestError {
  if (error instanceof IngestError) return error
  const { code, message, hint } = findMeaning(error)
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

/** The error that an aborted call rejects with: the signal's reason if it is an `IngestError`. */
export function interruptionError(signal: AbortSignal | undefined): IngestError {
  const cause: unknown = signal?.reason
  return cause instanceof IngestError ? cause : new IngestError('interrupted', 'interrupted', { cause })
}

/** Whether the whole transaction should be retried: after a deadlock, a serialization failure or a lock timeout. */
export function isRetryable(error: unknown): boolean {
  const state = sqlStateOf(error)
  return state !== undefined && RETRYABLE.includes(state)
}

/**
 * Whether reconnecting may help, because the server is stopping, starting, full, or lost by the network. A host name that does
 * not exist is a mistake, so reconnecting does not help.
 */
export function mayComeBack(error: unknown): error is IngestError {
  if (!(error instanceof IngestError) || error.code !== 'target_unreachable') return false
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (systemCodeOf(cause) === 'ENOTFOUND') return false
  return true
}

function findMeaning(error: unknown): Meaning {
  const code = systemCodeOf(error) ?? ''
  const byState = isSqlState(code) ? (BY_SQLSTATE[code] ?? BY_SQLSTATE_CLASS[code.slice(0, 2)]) : undefined
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
  return redact(password ? text.replaceAll(password, '***') : text)
}
