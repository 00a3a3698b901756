/** A target's configuration to a session or a sink; each backend is loaded only when it is named. */

import { setTimeout } from 'node:timers/promises'
import type { ServerConfig } from '../config/server.js'
import type { PostgresTargetConfig, TargetConfig } from '../config/target.js'
import type { WriteConfig } from '../config/write.js'
import { writeSettings, type WriteSettingFlags } from '../config/write-settings.js'
import type { SettingsOf, Target } from '../delivery/opening.js'
import { loadEmbedded } from '../sink/embedded/load.js'
import { describeServer } from '../sink/http/address.js'
import { isLoopback } from '../sink/loopback.js'
import type { PostgresAddress } from '../sink/postgres/dsn.js'
import type { SqlSession } from '../sink/sql.js'
import type { SinkOpener } from '../sink/sink.js'
import type { TargetKind } from '../state/registry.js'
import type { Context } from './context.js'

export type OpenSession = {
  readonly session: SqlSession
  readonly description: string
  readonly close: () => Promise<void>
}

/** For commands that only read, or that migrate. @param create makes an embedded database that is not there yet */
export async function openSession(target: TargetConfig, create: boolean, { signal }: Context): Promise<OpenSession> {
  if (target.kind === 'embedded') {
    const { openEmbedded } = await loadEmbedded()
    const session = await openEmbedded(target.folder, { create, signal })
    return { session, description: `the embedded database in ${target.folder}`, close: () => session.close() }
  }
  const { connectPostgres } = await import('../sink/postgres/connect.js')
  const session = await connectPostgres(await addressOf(target), { signal })
  return { session, description: session.description, close: () => session.close() }
}

/** The push's targets, the server first; each is checked as far as that goes without connecting. */
export async function targetsOf(
  { server, database, archive }: WriteConfig,
  flags: WriteSettingFlags,
  context: Context,
): Promise<readonly Target[]> {
  const targets: Target[] = []
  const settings = (kind: TargetKind): SettingsOf => settingsOf(kind, flags, context)
  if (server !== undefined)
    targets.push({ name: 'server', opener: await serverOpener(server, context), settings: settings('http') })
  if (database !== undefined)
    targets.push({
      name: database.kind,
      opener: await databaseOpener(database, context),
      settings: settings(database.kind),
    })
  if (archive !== undefined) {
    const { archiveSink } = await import('../sink/archive/sink.js')
    targets.push({ name: 'archive', opener: archiveSink(archive) })
  }
  return targets
}

/** What flags say of how to write to a target of a kind, over what will be promoted for it. */
export function settingsOf(kind: TargetKind, flags: WriteSettingFlags, { origins }: Context): SettingsOf {
  return promotion => writeSettings(kind, { flags, origins }, promotion)
}

/** @param rehearse makes every delivery in full and rolls it back */
export async function databaseOpener(
  target: TargetConfig,
  { random, report }: Context,
  rehearse?: 'rehearse',
): Promise<SinkOpener> {
  if (target.kind === 'embedded') {
    const { embeddedSink } = await import('../sink/embedded/sink.js')
    return embeddedSink(target.folder, { rehearse: rehearse !== undefined })
  }
  const { postgresSink } = await import('../sink/postgres/sink.js')
  const { insecureLocal, rolePolicy, retryDeadlineMs } = target
  const onWarning = (message: string): void => {
    // That any role may write there has been said.
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
  const { parseDsn } = await import('../sink/postgres/dsn.js')
  return parseDsn(dsn, { insecureLocal, environment, aws })
}

export async function serverOpener(config: ServerConfig, { random, signal }: Context): Promise<SinkOpener> {
  const { httpSink } = await import('../sink/http/sink.js')
  const { retries, retryDeadlineMs, ...options } = config
  const policy = { attempts: retries + 1, baseDelayMs: 500, maxDelayMs: 30_000, deadlineMs: retryDeadlineMs }
  const sleep = (delayMs: number): Promise<void> => setTimeout(delayMs, undefined, { signal })
  return httpSink({ ...options, policy, tools: { random, sleep, now: () => performance.now() } })
}

/** Trying things out must not need certificates, but it must never go unseen. */
export function warnInsecure(target: TargetConfig | undefined, { report }: Context): void {
  if (target?.kind !== 'postgres' || !target.insecureLocal) return
  const roles = target.rolePolicy === 'any' ? ', and any role may write' : ''
  report.warning(`--insecure-local: the connection is neither encrypted nor verified${roles}`)
}

/** A token on its way in the clear is a token that is known. */
export function warnPlain(config: ServerConfig | undefined, { report }: Context): void {
  if (config?.address.base.protocol !== 'http:' || isLoopback(config.address.base.hostname)) return
  report.warning(`the token and the records go unencrypted to ${describeServer(config.address.base)}`)
}
