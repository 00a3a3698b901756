/** A target's configuration to a session or a sink; each backend is loaded only when it is named. */

import type { TargetConfig } from '../config.js'
import type { SqlSession } from '../sink/sql.js'
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
  const { parseDsn, describeAddress } = await import('../sink/postgres/dsn.js')
  const address = parseDsn(target.dsn, { insecureLocal: target.insecureLocal })
  const session = await connectPostgres(address, { signal })
  return { session, description: describeAddress(address), close: () => session.close() }
}

/** Checks the target's configuration at once and says how to open it. */
export async function sinkOpener(target: TargetConfig, { random }: Context): Promise<SinkOpener> {
  if (target.kind === 'embedded') {
    const { folder } = target
    const open: SinkOpener['open'] = async signal => {
      const { embeddedSink } = await import('../sink/embedded/sink.js')
      return embeddedSink(folder, { signal })
    }
    return { early: false, open }
  }
  const { postgresSink } = await import('../sink/postgres/sink.js')
  const { parseDsn } = await import('../sink/postgres/dsn.js')
  const address = parseDsn(target.dsn, { insecureLocal: target.insecureLocal })
  return { early: true, open: signal => postgresSink(address, { signal, random }) }
}

/** Trying things out must not need certificates, but it must never go unseen. */
export function warnInsecure(target: TargetConfig, { report }: Context): void {
  if (target.kind === 'postgres' && target.insecureLocal)
    report.warning('--insecure-local: the connection is neither encrypted nor verified')
}
