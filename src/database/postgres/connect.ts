/** Connects to Postgres with verified TLS and explicit settings, independent of the environment. */
import { regionHint } from './aws-identity.js'
import { ALL_SETTINGS, BASIC_SETTINGS, LATE_SETTINGS_SQL, PostgresClient, type ClientOptions } from './client.js'
import { describeAddress, type PostgresAddress } from './dsn.js'
import { POOLER_STATE } from './error-table.js'
import { interruptionError, toIngestError } from './errors.js'
import { connectFirstUsable } from './connect-first-usable.js'
import { withPassword } from './with-password.js'
import { PostgresSession, type IdleLimits } from './session.js'
import { IngestError, sqlStateOf } from '../../errors.js'
import { traced } from '../../http/wire-events.js'
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
  return withLateSettings(await open(BASIC_SETTINGS))
}

/** Whether a pooler may have rejected the settings. If the error had another reason, the next attempt fails with it again. */
function isPoolersRefusal(error: unknown, state: string): boolean {
  return state === POOLER_STATE && error instanceof IngestError && error.code === 'target_unreachable'
}

async function withLateSettings(session: PostgresSession): Promise<PostgresSession> {
  try {
    await session.execute(LATE_SETTINGS_SQL)
    return session
  } catch (error) {
    await session.close()
    throw error
  }
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
    throw signal?.aborted ? interruptionError(signal) : toIngestError(error, options.address)
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
