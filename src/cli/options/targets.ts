/** Opens sessions and sinks from a target's configuration. Each backend is loaded only when it is used. */

import { setTimeout } from 'node:timers/promises'
import type { ServerConfig } from '../../config/server.js'
import type { PostgresTargetConfig, TargetConfig } from '../../config/target.js'
import type { WriteConfig } from '../../config/write.js'
import { writeSettings, type WriteSettingFlags } from '../../config/write-settings.js'
import type { SettingsOf, Target } from '../../delivery/target.js'
import { loadEmbedded } from '../../database/embedded/load.js'
import { describeServer } from '../../http/address.js'
import { isLoopback } from '../../http/loopback.js'
import type { PostgresAddress } from '../../database/postgres/dsn.js'
import type { SqlSession } from '../../database/sql.js'
import type { SinkOpener } from '../../targets/sink.js'
import type { TargetKind } from '../../state/registry.js'
import type { Context } from '../context.js'

export type OpenSession = {
  readonly session: SqlSession
  readonly description: string
  readonly close: () => Promise<void>
}

/**
 * Opens a database session for commands that only read, or that migrate.
 * @param create creates the embedded database if it does not exist
 */
export async function openSession(target: TargetConfig, create: boolean, { signal }: Context): Promise<OpenSession> {
  if (target.kind === 'embedded') {
    const { openEmbedded } = await loadEmbedded()
    const session = await openEmbedded(target.folder, { create, signal })
    return { session, description: `the embedded database in ${target.folder}`, close: () => session.close() }
  }
  const { connectPostgres } = await import('../../database/postgres/connect.js')
  const session = await connectPostgres(await addressOf(target), { signal })
  return { session, description: session.description, close: () => session.close() }
}

/** The targets of a push, the server first. Each is checked as far as possible without connecting. */
export async function targetsOf(
  { server, database, archive }: WriteConfig,
  flags: WriteSettingFlags,
  context: Context,
): Promise<readonly Target[]> {
  const targets: Target[] = []
  const settings = (kind: TargetKind): SettingsOf => settingsOf(kind, flags, context)
  if (server !== undefined)
    targets.push({
      name: 'server',
      kind: 'server',
      opener: await serverOpener(server, context),
      settings: settings('http'),
    })
  if (database !== undefined)
    targets.push({
      name: database.kind,
      kind: database.kind,
      opener: await databaseOpener(database, context),
      settings: settings(database.kind),
    })
  if (archive !== undefined) {
    const { archiveSink } = await import('../../targets/archive/sink.js')
    targets.push({ name: 'archive', kind: 'archive', opener: archiveSink(archive) })
  }
  return targets
}

/** Write settings for a target kind. Flags take precedence over promoted settings. */
export function settingsOf(kind: TargetKind, flags: WriteSettingFlags, { origins }: Context): SettingsOf {
  return promotion => writeSettings(kind, { flags, origins }, promotion)
}

/** @param rehearse runs every delivery completely and rolls it back */
export async function databaseOpener(
  target: TargetConfig,
  { random, report }: Context,
  rehearse?: 'rehearse',
): Promise<SinkOpener> {
  if (target.kind === 'embedded') {
    const { embeddedSink } = await import('../../targets/embedded/sink.js')
    return embeddedSink(target.folder, { rehearse: rehearse !== undefined })
  }
  const { postgresSink } = await import('../../targets/postgres/sink.js')
  const { insecureLocal, rolePolicy, retryDeadlineMs } = target
  const onWarning = (message: string): void => {
    // warnInsecure has already reported that any role may write.
    if (!insecureLocal) report.warning(message)
  }
  return postgresSink(await addressOf(target), {
    random,
    rolePolicy,
    onWarning,
    retryDeadlineMs,
    rehearse: rehearse !== undefined,
  })
}

export async function addressOf({
  dsn,
  insecureLocal,
  environment,
  aws,
}: PostgresTargetConfig): Promise<PostgresAddress> {
  const { parseDsn } = await import('../../database/postgres/dsn.js')
  return parseDsn(dsn, { insecureLocal, environment, aws })
}

export async function serverOpener(config: ServerConfig, { random, signal }: Context): Promise<SinkOpener> {
  const { httpSink } = await import('../../targets/server/sink.js')
  const { retries, retryDeadlineMs, ...options } = config
  const policy = { attempts: retries + 1, baseDelayMs: 500, maxDelayMs: 30_000, deadlineMs: retryDeadlineMs }
  const sleep = (delayMs: number): Promise<void> => setTimeout(delayMs, undefined, { signal })
  return httpSink({ ...options, policy, tools: { random, sleep, now: () => performance.now() } })
}

/** Warns about `--insecure-local`, so that an unencrypted connection never goes unnoticed. */
export function warnInsecure(target: TargetConfig | undefined, { report }: Context): void {
  if (target?.kind !== 'postgres' || !target.insecureLocal) return
  const roles = target.rolePolicy === 'any' ? ', and any role may write' : ''
  report.warning(`--insecure-local: the connection is neither encrypted nor verified${roles}`)
}

/** Warns if the token and the records would be sent unencrypted over a network. */
export function warnPlain(config: ServerConfig | undefined, { report }: Context): void {
  if (config?.address.base.protocol !== 'http:' || isLoopback(config.address.base.hostname)) return
  report.warning(`the token and the records go unencrypted to ${describeServer(config.address.base)}`)
}
