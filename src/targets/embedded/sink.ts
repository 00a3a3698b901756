/** The embedded target. */

import { applyInVersion, toApplyOptions } from '../../database/apply.js'
import { migrate } from '../../database/migrate.js'
import type { Sink, SinkOpener } from '../sink.js'
import { loadEmbedded } from '../../database/embedded/load.js'
import { describeEmbedded, embeddedId } from './location.js'

export type EmbeddedSinkOptions = {
  /** Whether to roll every delivery back after doing all its work. */
  readonly rehearse?: boolean | undefined
}

/** The embedded database in `folder` as a target. Opening it creates a missing database and applies migrations. */
export function embeddedSink(folder: string, { rehearse = false }: EmbeddedSinkOptions = {}): SinkOpener {
  return {
    id: embeddedId(folder),
    description: describeEmbedded(folder),
    opensEarly: false,
    readsRows: true,
    open: signal => openSink(folder, rehearse, signal),
  }
}

async function openSink(folder: string, rehearse: boolean, signal: AbortSignal): Promise<Sink> {
  // The engine is loaded here, after the input was validated, because loading is slow.
  const { openEmbedded } = await loadEmbedded()
  const session = await openEmbedded(folder, { create: true, signal })
  try {
    await migrate(session)
  } catch (error) {
    // The first error is the one to report.
    await session.close().catch(() => undefined)
    throw error
  }
  return {
    async write(delivery, _onRetry, settings) {
      const options = { ...toApplyOptions(settings), rehearse, target: describeEmbedded(folder) }
      const receipt = await applyInVersion(session, delivery, options)
      await session.sync()
      return receipt
    },
    close: () => session.close(),
  }
}
