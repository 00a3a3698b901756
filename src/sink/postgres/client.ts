/** A pg client that takes nothing from the environment and states every setting that matters itself. */
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

/** Settings that any server and pooler takes; a role's or database's own could change what our SQL means. */
export const BASIC_SETTINGS: StartupSettings = {
  client_encoding: 'UTF8',
  DateStyle: 'ISO, MDY',
  TimeZone: 'UTC',
  standard_conforming_strings: 'on',
}

/** How often a server looks whether its client is still there while it works, so that a dead one's locks go soon. */
export const CHECK_INTERVAL_MS = 1000

/**
 * In the start-up packet these cost no round trip, win over ALTER ROLE … SET, and are what RESET returns to.
 * (`options=-c …` would do the same, but more poolers refuse that.)
 */
export const ALL_SETTINGS: StartupSettings = {
  ...BASIC_SETTINGS,
  search_path: 'public',
  client_connection_check_interval: String(CHECK_INTERVAL_MS),
}

/** The same for a server that does not know one of them (before 14), or cannot use it (on Windows). */
export const LATE_SETTINGS_SQL = `
SET search_path TO public;
DO $$ BEGIN
  PERFORM set_config('client_connection_check_interval', '${CHECK_INTERVAL_MS}', false);
EXCEPTION WHEN undefined_object OR invalid_parameter_value THEN NULL;
END $$`

/** What the server says of itself while it lets a client in, by name. */
type ParameterStatus = { readonly parameterName: string; readonly parameterValue: string }

export class PostgresClient extends Client {
  readonly #startup: StartupSettings
  readonly #tls: TlsOptions | false
  /** What the server reports without being asked, such as `session_authorization`; a pooler may leave some out. */
  readonly parameters = new Map<string, string>()

  constructor({ address, tls, connectTimeoutMs, settings }: ClientOptions) {
    const { host, port, database, user, password, applicationName } = address
    super({
      ...{ host, port, database, user },
      // A function, since pg looks for an absent password in PGPASSWORD and ~/.pgpass, and prints a string with itself.
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

  /** Starts connecting, and prepares TLS while the network is being waited for. */
  async open(): Promise<void> {
    const connecting = this.connect()
    if (this.#tls !== false) void this.#tls.secureContext
    await connecting
  }

  /** Whether queries are sent before those ahead of them are answered. */
  sendAhead(on: boolean): void {
    // pg reads it at every query, though its types would have it settled with the connection.
    ;(this as { pipeline: boolean }).pipeline = on
  }

  /** Replaces pg's own, which adds PGOPTIONS and PGREPLICATION. */
  getStartupConf(): StartupSettings {
    return this.#startup
  }
}
