/** Connects to Postgres with verified TLS and explicit settings, independent of the environment. */

import { IngestError, sqlStateOf } from '../../errors.js'
import { traced } from '../../http/wire-events.js'
import { isReconnectable } from '../session-pool.js'
import { interruptionError, prepareSession } from '../session.js'
import { ALL_SETTINGS, BASIC_SETTINGS, LATE_SETTINGS_SQL, PostgresClient, type ClientOptions } from './client.js'
import { describeAddress, describeEndpoint, type PostgresAddress } from './dsn.js'
import { POOLER_STATE, toPostgresError } from './errors.js'
import { withPassword } from './password.js'
import { regionHint } from './rds-token.js'
import { assertRole, type RolePolicy } from './role.js'
import { PostgresSession, type IdleLimits } from './session.js'
import { assertVerified, readAuthorities, tlsOptions, type Authorities } from './tls.js'

export { PostgresSession }

export type ConnectOptions = Partial<IdleLimits> & {
  /** Aborting closes the connection, so that the server rolls back and running calls reject. */
  readonly signal?: AbortSignal | undefined
  /** Timeout for each host. Default: the DSN's `connect_timeout`, otherwise 10 seconds. */
  readonly connectTimeoutMs?: number | undefined
  /** The clock for login tokens, which contain the current time. Default: the system clock. */
  readonly now?: () => Date
}

const CONNECT_TIMEOUT_MS = 10_000
const QUERY_TIMEOUT_MS = 300_000
const ANSWER_TIMEOUT_MS = 3_600_000

// SQLSTATEs for an unknown setting (servers before version 14) and an unsupported setting (servers on Windows).
const SETTING_UNKNOWN = ['42704', '22023']

/**
 * Connects to the first usable host of an address.
 * @throws {IngestError} `target_unreachable`, `target_misconfigured`, `auth_failed`, `config_invalid`, `interrupted`
 */
export async function connectPostgres(
  address: PostgresAddress,
  options: ConnectOptions = {},
): Promise<PostgresSession> {
  const authorities = await readAuthorities(address)
  return connectFirstUsable(address, async host => {
    const login = await withPassword(host, options.now ?? (() => new Date()))
    return connectHost(login, authorities, options).catch(async (error: unknown) => {
      throw await withRegionHint(error, host)
    })
  })
}

export type WriterOptions = ConnectOptions & {
  readonly rolePolicy: RolePolicy
  readonly onWarning: (message: string) => void
}

/** Connects as a role that may write. @throws {IngestError} also `target_misconfigured` for another role */
export async function connectWriter(
  address: PostgresAddress,
  { rolePolicy, onWarning, ...options }: WriterOptions,
): Promise<PostgresSession> {
  const session = await connectPostgres(address, options)
  return prepareSession(session, () => assertRole(session, rolePolicy, onWarning))
}

async function connectHost(address: PostgresAddress, authorities: Authorities, options: ConnectOptions) {
  const { signal, queryTimeoutMs = QUERY_TIMEOUT_MS, answerTimeoutMs = ANSWER_TIMEOUT_MS } = options
  const connectTimeoutMs = options.connectTimeoutMs ?? address.connectTimeoutMs ?? CONNECT_TIMEOUT_MS
  const open = async (settings: ClientOptions['settings']) => {
    const tls = tlsOptions(address, authorities)
    const client = await connectClient({ address, tls, connectTimeoutMs, settings }, signal)
    return new PostgresSession({ client, address, signal, queryTimeoutMs, answerTimeoutMs })
  }
  try {
    return await open(ALL_SETTINGS)
  } catch (error) {
    const state = sqlStateOf(error) ?? ''
    // No settings are made later by SQL, because a transaction-mode pooler would leak them to the connection's next client.
    if (isPoolersRefusal(error, state)) return open(BASIC_SETTINGS)
    if (!SETTING_UNKNOWN.includes(state)) throw error
  }
  return prepareSession(await open(BASIC_SETTINGS), session => session.execute(LATE_SETTINGS_SQL))
}

/** Whether a pooler may have rejected the settings. If the error had another reason, the next attempt fails with it again. */
function isPoolersRefusal(error: unknown, state: string): boolean {
  return state === POOLER_STATE && error instanceof IngestError && error.code === 'target_unreachable'
}

async function connectClient(options: ClientOptions, signal: AbortSignal | undefined): Promise<PostgresClient> {
  if (signal?.aborted) throw interruptionError(signal)
  const client = new PostgresClient(options)
  // `connection.stream` is read at the time of the call, because pg replaces it when TLS begins.
  const drop = () => client.connection.stream.destroy()
  // A closed connection may still report errors, and an error event without a listener ends the process.
  client.on('error', drop)
  signal?.addEventListener('abort', drop)
  try {
    await traced({ operation: 'connected', endpoint: describeAddress(options.address) }, () => client.open())
    if (signal?.aborted) throw interruptionError(signal)
    assertVerified(client.connection.stream, options.address)
    return client
  } catch (error) {
    drop()
    throw signal?.aborted ? interruptionError(signal) : toPostgresError(error, options.address)
  } finally {
    signal?.removeEventListener('abort', drop)
  }
}

/**
 * Adds a hint about the region to a failed login with a token, because a token for another region looks like a wrong password.
 */
async function withRegionHint(error: unknown, address: PostgresAddress): Promise<unknown> {
  const { aws, password } = address
  if (!(error instanceof IngestError) || error.code !== 'auth_failed' || password || aws === undefined) return error
  const hint = await regionHint(address, aws)
  return hint === undefined ? error : new IngestError(error.code, error.message, { cause: error, hint })
}

const READ_ONLY = `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS "readOnly"`

/**
 * Tries the hosts in order, like libpq. The next host is tried when one is unreachable or read-only. Any other failure, such as
 * a rejected password or an unverified certificate, ends the search.
 * @throws {IngestError} the failure of a single host, or one error that lists the failures of all hosts
 */
async function connectFirstUsable(
  { others, attributes, ...first }: PostgresAddress,
  connect: (address: PostgresAddress) => Promise<PostgresSession>,
): Promise<PostgresSession> {
  if (others === undefined) return connect(first)
  const failures: IngestError[] = []
  for (const endpoint of [{ host: first.host, port: first.port }, ...others]) {
    const address = { ...first, ...endpoint, mayFailOver: attributes !== 'any' }
    try {
      const session = await connect(address)
      if (attributes === 'any' || !(await isReadOnly(session))) return session
      await session.close()
      failures.push(new IngestError('target_misconfigured', `${describeEndpoint(endpoint)}: is read-only`))
    } catch (error) {
      if (!(error instanceof IngestError) || error.code !== 'target_unreachable') throw error
      failures.push(error)
    }
  }
  throw noUsableHost({ ...first, others }, failures)
}

/** Whether a server is read-only. Servers since version 14 report this at login; older ones are queried. */
async function isReadOnly(session: PostgresSession): Promise<boolean> {
  const reported = ['in_hot_standby', 'default_transaction_read_only'].map(name => session.parameter(name))
  if (!reported.includes(undefined)) return reported.includes('on')
  const [row] = await session.query<{ readOnly: boolean }>(READ_ONLY)
  return row?.readOnly ?? false
}

/** The error for all hosts. Its cause is a failure that a retry may fix, if there is one, so that the caller retries. */
function noUsableHost(address: PostgresAddress, failures: readonly IngestError[]): IngestError {
  const cause = failures.find(isReconnectable) ?? failures[0]
  const reasons = failures
    .map(({ message }) => message.replace(/^postgres:\/\/[^ ]*@([^ /]*)\/[^ ]*: /, '$1: '))
    .join('; ')
  const hint = cause?.hint ?? 'name the primary, or wait until one of them is'
  const message = `${describeAddress(address)}: none of the ${failures.length} hosts can be used: ${reasons}`
  return new IngestError(cause?.code ?? 'target_unreachable', message, { cause, hint })
}
