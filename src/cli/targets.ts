/** A target's configuration to a session or a sink; each backend is loaded only when it is named. */

import type { PostgresTargetConfig, TargetConfig } from '../config.js'
import type { SqlSession } from '../sink/sql.js'
import type { PostgresAddress } from '../sink/postgres/dsn.js'
import type { SinkOpener } from '../sink/sink.js'
import type { Context } from './context.js'

export type OpenSession = {
  readonly session: SqlSession
  readonly description: string
  readonly close: () => Promise<void>
}

/** For commands that only read, or that migrate. @param create makes an embedded database that is not there yet */
export async function openSession(target: TargetConfig, create: boolean, { signal }: Context): Promise<OpenSession> {
  if (target.kind === 'embedded') {
    const { openEmbedded } = await import('../sink/embedded/database.js')
    const session = await openEmbedded(target.folder, { create, signal })
    return { session, description: `the embedded database in ${target.folder}`, close: () => session.close() }
  }
  const { connectPostgres } = await import('../sink/postgres/connect.js')
  const session = await connectPostgres(await addressOf(target), { signal })
  return { session, description: session.description, close: () => session.close() }
}

/** Checks the target's configuration at once and says how to open it. */
export async function sinkOpener(target: TargetConfig, { random, report }: Context): Promise<SinkOpener> {
  if (target.kind === 'embedded') {
    const { folder } = target
    const open: SinkOpener['open'] = async signal => {
      const { embeddedSink } = await import('../sink/embedded/sink.js')
      return embeddedSink(folder, { signal })
    }
    return { early: false, open }
  }
  const { postgresSink } = await import('../sink/postgres/sink.js')
  const address = await addressOf(target)
  const { rolePolicy, retryDeadlineMs } = target
  const onWarning = (message: string): void => {
    // That any role may write there has been said.
    if (!target.insecureLocal) report.warning(message)
  }
  return {
    early: true,
    open: signal => postgresSink(address, { ...{ signal, random, rolePolicy, onWarning }, retryDeadlineMs }),
  }
}

async function addressOf({ dsn, insecureLocal, environment, aws }: PostgresTargetConfig): Promise<PostgresAddress> {
  const { parseDsn } = await import('../sink/postgres/dsn.js')
  return parseDsn(dsn, { insecureLocal, environment, aws })
}

/** Trying things out must not need certificates, but it must never go unseen. */
export function warnInsecure(target: TargetConfig, { report }: Context): void {
  if (target.kind === 'postgres' && target.insecureLocal)
    report.warning(
      `--insecure-local: the connection is neither encrypted nor verified${target.rolePolicy === 'any' ? ', and any role may write' : ''}`,
    )
}
