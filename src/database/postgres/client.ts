/** A pg client that ignores the environment and sets every relevant session setting explicitly. */
import Client from 'pg/lib/client'
import type { PostgresAddress } from './dsn.js'
import type { TlsOptions } from './tls.js'

export type StartupSettings = Readonly<Record<string, string>>

export type ClientOptions = {
  readonly address: PostgresAddress
  readonly tls: TlsOptions | false
  readonly connectTimeoutMs: number
  readonly settings: StartupSettings
}

const KEEP_ALIVE_MS = 10_000

/** Settings that every server and pooler accepts. Defaults of a role or database could change the meaning of our SQL. */
export const BASIC_SETTINGS: StartupSettings = {
  client_encoding: 'UTF8',
  DateStyle: 'ISO, MDY',
  TimeZone: 'UTC',
  standard_conforming_strings: 'on',
}

/** How often a working server checks that its client is still connected, so that locks of a lost client are released soon. */
const CHECK_INTERVAL_MS = 1000

/**
 * All settings, sent in the start-up packet. There they cost no round trip, override ALTER ROLE … SET, and are the values that
 * RESET restores. (`options=-c …` would do the same, but more poolers reject it.)
 */
export const ALL_SETTINGS: StartupSettings = {
  ...BASIC_SETTINGS,
  search_path: 'public',
  client_connection_check_interval: String(CHECK_INTERVAL_MS),
}

/**
 * The settings beyond BASIC_SETTINGS as SQL, for servers that reject one of them at login: before version 14, or on Windows.
 */
export const LATE_SETTINGS_SQL = `
SET search_path TO public;
DO $$ BEGIN
  PERFORM set_config('client_connection_check_interval', '${CHECK_INTERVAL_MS}', false);
EXCEPTION WHEN undefined_object OR invalid_parameter_value THEN NULL;
END $$`

/** A server parameter that is reported during login. */
type ParameterStatus = { readonly parameterName: string; readonly parameterValue: string }

export class PostgresClient extends Client {
  readonly #startup: StartupSettings
  readonly #tls: TlsOptions | false
  /** Parameters that the server reports by itself, such as `session_authorization`. A pooler may omit some. */
  readonly parameters = new Map<string, string>()

  constructor({ address, tls, connectTimeoutMs, settings }: ClientOptions) {
    const { host, port, database, user, password, applicationName } = address
    super({
      ...{ host, port, database, user },
      // A function, because pg looks up a missing password in PGPASSWORD and ~/.pgpass, and prints a string with the client.
      password: () => password ?? '',
      ssl: tls,
      sslnegotiation: 'postgres',
      connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    })
    this.#startup = { user, database, application_name: applicationName, ...settings }
    this.#tls = tls
    this.connection.on('parameterStatus', ({ parameterName, parameterValue }: ParameterStatus) => {
      this.parameters.set(parameterName, parameterValue)
    })
  }

  /** Connects. TLS is prepared while waiting for the network. */
  async open(): Promise<void> {
    const connecting = this.connect()
    if (this.#tls !== false) void this.#tls.secureContext
    await connecting
  }

  /** Turns pipelining on or off: whether a query is sent before the previous queries are answered. */
  sendAhead(on: boolean): void {
    // pg reads this property at every query, although its types only allow it as an option.
    ;(this as { pipeline: boolean }).pipeline = on
  }

  /** Overrides pg's method, which adds PGOPTIONS and PGREPLICATION from the environment. */
  getStartupConf(): StartupSettings {
    return this.#startup
  }
}
