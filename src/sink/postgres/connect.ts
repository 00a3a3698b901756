/** Connects to Postgres the one way this program does: verified, with its own settings, deaf to the environment. */
import { ALL_SETTINGS, BASIC_SETTINGS, LATE_SETTINGS_SQL, PostgresClient } from './client.js'
import type { ClientOptions } from './client.js'
import type { PostgresAddress } from './dsn.js'
import { interruptionOf, sqlStateOf, toIngestError } from './errors.js'
import { PostgresSession } from './session.js'
import { assertVerified, tlsOptions } from './tls.js'

export { PostgresSession }

export type ConnectOptions = {
  /** Aborting closes the connection, so that the server rolls back, and rejects what is under way. */
  readonly signal?: AbortSignal | undefined
  /** Default: the URL's `connect_timeout`, else 10 seconds. */
  readonly connectTimeoutMs?: number | undefined
  /** How long a call may see no byte move in either direction. Default: 5 minutes; 0 waits for ever. */
  readonly queryTimeoutMs?: number | undefined
}

const CONNECT_TIMEOUT_MS = 10_000
const QUERY_TIMEOUT_MS = 300_000

// Unknown setting (a server before 14), unusable setting (a server on Windows), protocol violation (PgBouncer).
const SETTINGS_REFUSED = ['42704', '22023', '08P01']

/** @throws {IngestError} `target_unreachable`, `target_misconfigured`, `auth_failed`, `config_invalid`, `interrupted` */
export async function connectPostgres(
  address: PostgresAddress,
  options: ConnectOptions = {},
): Promise<PostgresSession> {
  const { signal, queryTimeoutMs = QUERY_TIMEOUT_MS } = options
  const connectTimeoutMs = options.connectTimeoutMs ?? address.connectTimeoutMs ?? CONNECT_TIMEOUT_MS
  const tls = await tlsOptions(address)
  const open = async (settings: ClientOptions['settings']) => {
    const client = await connectClient({ address, tls, connectTimeoutMs, settings }, signal)
    return new PostgresSession({ client, address, signal, queryTimeoutMs })
  }
  try {
    return await open(ALL_SETTINGS)
  } catch (error) {
    if (!SETTINGS_REFUSED.includes(sqlStateOf(error) ?? '')) throw error
  }
  const session = await open(BASIC_SETTINGS)
  try {
    await session.execute(LATE_SETTINGS_SQL)
    return session
  } catch (error) {
    await session.close()
    throw error
  }
}

async function connectClient(options: ClientOptions, signal: AbortSignal | undefined): Promise<PostgresClient> {
  if (signal?.aborted) throw interruptionOf(signal)
  const client = new PostgresClient(options)
  // `connection.stream` is looked up late: pg replaces it when TLS begins.
  const drop = () => client.connection.stream.destroy()
  // Given up or not, a connection may still report errors, and one without a listener ends the process.
  client.on('error', drop)
  signal?.addEventListener('abort', drop)
  try {
    await client.connect()
    if (signal?.aborted) throw interruptionOf(signal)
    assertVerified(client.connection.stream, options.address)
    return client
  } catch (error) {
    drop()
    throw signal?.aborted ? interruptionOf(signal) : toIngestError(error, options.address)
  } finally {
    signal?.removeEventListener('abort', drop)
  }
}
