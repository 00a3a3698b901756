/** Functions that make targets for the library. Each loads the code of its kind when the target is opened. */

import { setTimeout } from 'node:timers/promises'
import type { Environment } from '../commit/ci.js'
import { loadEmbedded } from '../database/embedded/load.js'
import { describeAddress, postgresId } from '../database/postgres/dsn.js'
import type { RolePolicy } from '../database/postgres/role.js'
import type { ReadableCommits } from '../delivery/commit-reader.js'
import { databaseReader, type OpenDatabase } from '../delivery/database-reader.js'
import { databaseRows, type ReadableTarget } from '../delivery/stored-rows.js'
import { filteredOpener } from '../delivery/filtered-opener.js'
import type { Target } from '../delivery/target.js'
import { IngestError } from '../errors.js'
import { describeServer, isLoopback, parseServerUrl } from '../http/address.js'
import { siteAddress } from '../http/site-address.js'
import { piiFilter, type PiiOptions } from '../pii/pii-filter.js'
import { parseStorageAddress } from '../storage/address.js'
import { archiveId, describeArchive } from '../targets/archive/options.js'
import { describeEmbedded, embeddedId } from '../targets/embedded/location.js'
import { postgresConfig } from '../targets/postgres/config.js'
import { openServerSink, readServerConfig, type ReadServerConfig } from '../targets/server/config.js'
import type { CompressMode } from '../targets/server/options.js'
import type { SinkOpener } from '../targets/sink.js'
import { monotonicMs } from '../monotonic-time.js'

export type TargetOptions = {
  /** Whether a failure of this target fails the push. If no target sets it, only a failure of the first target does. */
  readonly required?: boolean | undefined
  /** Masks or drops names, e-mail addresses and tokens before the target, or a state, gets them. Default: both are kept. */
  readonly pii?: PiiOptions | undefined
}

/** A database as a target: `verify` and `compare` can read it, too. */
export type DatabaseTarget = Target &
  ReadableTarget &
  ReadableCommits & {
    /** Connects to the database. The caller closes the session. */
    readonly openSession: (signal: AbortSignal) => Promise<OpenDatabase>
  }

export type ServerOptions = TargetOptions & {
  /** The bearer token. Only a server on this machine needs none. */
  readonly token?: string | undefined
  /** Idle timeout for responses, in milliseconds. Default: 120,000. */
  readonly timeoutMs?: number | undefined
  /** Maximum number of retries per request. Default: 8. */
  readonly retries?: number | undefined
  /** Time after the first failure from which on nothing is retried, in milliseconds. Default: 120,000. */
  readonly retryDeadlineMs?: number | undefined
  /** Maximum size of a request body before compression, in bytes. Default: 60 MiB. */
  readonly maxEnvelopeBytes?: number | undefined
  /** When bodies are sent as gzip. `auto` sends gzip until the server refuses it. Default: `never`. */
  readonly compress?: CompressMode | undefined
  /** Variables that name a proxy and certificate files, such as `HTTPS_PROXY`. Default: `process.env`. */
  readonly env?: Environment | undefined
}

/**
 * An ingest service over HTTP.
 * @param url such as `https://ingest.example.com`
 * @throws {IngestError} `usage` for an invalid URL; `auth_failed` without a token
 */
export function server(url: string, options: ServerOptions = {}): Target & ReadableTarget & ReadableCommits {
  const { token, env = process.env } = options
  const base = parseServerUrl(url, 'the URL of the server')
  const description = describeServer(base)
  if (token === undefined && !isLoopback(base.hostname))
    throw new IngestError('auth_failed', `no token for ${description}`, { hint: 'give the option token' })
  const { timeoutMs, retries, retryDeadlineMs, maxEnvelopeBytes, compress } = options
  const inSeconds = (milliseconds: number | undefined): number | undefined => milliseconds && milliseconds / 1000
  const timeout = inSeconds(timeoutMs)
  const given = { timeout, retries, retryDeadline: inSeconds(retryDeadlineMs), maxEnvelopeBytes, compress }
  const opener = lazyOpener({ id: description, description, opensEarly: false }, async signal => {
    const sleep = (delayMs: number): Promise<void> => setTimeout(delayMs, undefined, { signal: signal() })
    const tools = { random: Math.random, sleep, now: monotonicMs }
    return openServerSink(await siteAddress(base, token, env), given, tools)
  })
  const reading = (): Promise<ReadServerConfig> => readServerConfig({ server: url, timeout }, env)
  return {
    ...createTarget('server', opener, options),
    async openRows(signal) {
      const { serverRows } = await import('../delivery/server-rows.js')
      const rows = await serverRows({ ...(await reading()), signal })
      return { rows, description, close: async () => rows.close() }
    },
    async openReader(signal) {
      const { serverReader } = await import('../delivery/server-reader.js')
      return serverReader({ ...(await reading()), signal })
    },
  }
}

export type PostgresOptions = TargetOptions & {
  /** Which roles may write. Default: only `bench_ingest`; with `insecureLocal` any role. */
  readonly rolePolicy?: RolePolicy | undefined
  /** Allows a connection without TLS to a database on this machine. */
  readonly insecureLocal?: boolean | undefined
  /** AWS region of the RDS login token. Default: from the environment or the host name. */
  readonly region?: string | undefined
  /** How long to retry when the database is unreachable, in milliseconds. Default: 60,000. */
  readonly retryDeadlineMs?: number | undefined
  /** The `PG*` variables supply what the DSN leaves out, `AWS_*` variables the login token. Default: `process.env`. */
  readonly env?: Environment | undefined
  /** Called with problems that do not stop the work, such as a role with too many rights. */
  readonly onWarning?: ((message: string) => void) | undefined
}

/**
 * A Postgres database.
 * @param dsn a `postgres://` URL or a libpq keyword string. TLS with a verified host name is the default
 * @throws {IngestError} `usage` for an invalid DSN
 */
export function postgres(dsn: string, options: PostgresOptions = {}): DatabaseTarget {
  const { insecureLocal = false, region, retryDeadlineMs, env = process.env, onWarning = () => undefined } = options
  const { address, rolePolicy } = postgresConfig(
    { postgres: dsn, insecureLocal, region, rolePolicy: options.rolePolicy },
    env,
  )
  const facts = {
    id: postgresId(address),
    description: describeAddress(address),
    opensEarly: true,
    readsRows: true,
  } as const
  const opener = lazyOpener(facts, async () => {
    const { postgresSink } = await import('../targets/postgres/sink.js')
    return postgresSink(address, { random: Math.random, rolePolicy, retryDeadlineMs, onWarning })
  })
  return createDatabase(createTarget('postgres', opener, options), async signal => {
    const { connectPostgres } = await import('../database/postgres/connect.js')
    const session = await connectPostgres(address, { signal })
    return { session, description: session.description, close: () => session.close() }
  })
}

/**
 * A database in a folder of this machine. A push creates it. Needs the optional package `@electric-sql/pglite`.
 * @param folder default: `.vortex-ingest` in the current folder
 */
export function embedded(folder = '.vortex-ingest', options: TargetOptions = {}): DatabaseTarget {
  const description = describeEmbedded(folder)
  const facts = { id: embeddedId(folder), description, opensEarly: false, readsRows: true } as const
  const opener = lazyOpener(facts, async () => (await import('../targets/embedded/sink.js')).embeddedSink(folder))
  return createDatabase(createTarget('embedded', opener, options), async signal => {
    const { openEmbedded } = await loadEmbedded()
    const session = await openEmbedded(folder, { create: false, signal })
    return { session, description, close: () => session.close() }
  })
}

/**
 * An archive of the original lines, by table and commit. It needs a push with `state`.
 * @param location a folder or `s3://BUCKET/PREFIX`
 * @throws {IngestError} `usage` for an invalid location
 */
export function archive(location: string, options: TargetOptions = {}): Target {
  const address = parseStorageAddress(location)
  const facts = { id: archiveId(address), description: describeArchive(address), opensEarly: address.kind === 's3' }
  const opener = lazyOpener({ ...facts, isAppendOnly: true, needsOutbox: true }, async () => {
    const { archiveSink } = await import('../targets/archive/sink.js')
    return archiveSink(address)
  })
  return createTarget('archive', opener, options)
}

/** @throws {IngestError} `config_invalid` for `pii` that masks without a key */
function createTarget(kind: string, original: SinkOpener, { required, pii }: TargetOptions): Target {
  const filter = pii && piiFilter(pii)
  const opener = filter === undefined ? original : filteredOpener(original, filter)
  return { name: kind, kind, opener, ...(required !== undefined && { isRequired: required }) }
}

function createDatabase(target: Target, openSession: DatabaseTarget['openSession']): DatabaseTarget {
  return {
    ...target,
    openSession,
    openReader: async signal => databaseReader(await openSession(signal)),
    async openRows(signal) {
      const { session, ...opened } = await openSession(signal)
      return { rows: databaseRows(session), ...opened }
    },
  }
}

/**
 * An opener whose sink is loaded when it is first needed.
 * @param load makes the opener; it gets a function that returns the signal of the open sink
 */
function lazyOpener(
  facts: Omit<SinkOpener, 'open' | 'refuses'>,
  load: (signal: () => AbortSignal | undefined) => Promise<SinkOpener>,
): SinkOpener {
  let current: AbortSignal | undefined
  let loaded: Promise<SinkOpener> | undefined
  const opener = (): Promise<SinkOpener> => (loaded ??= load(() => current))
  return {
    ...facts,
    async *refuses(delivery) {
      const { refuses } = await opener()
      if (refuses !== undefined) yield* refuses(delivery)
    },
    async open(signal) {
      current = signal
      return (await opener()).open(signal)
    },
  }
}
