/** The embedded database as a target. */

import { resolve } from 'node:path'
import { applyInVersion, toApplyOptions } from '../apply.js'
import { migrate } from '../migrate.js'
import type { Sink, SinkOpener } from '../sink.js'

export type EmbeddedSinkOptions = {
  /** Every delivery is made in full and rolled back. */
  readonly rehearse?: boolean | undefined
}

/** Opens the database in `folder`, making it and its tables when they are not there yet. */
export function embeddedSink(folder: string, { rehearse = false }: EmbeddedSinkOptions = {}): SinkOpener {
  return {
    id: `embedded:${resolve(folder)}`,
    description: `the embedded database in ${folder}`,
    opensEarly: false,
    readsRows: true,
    open: signal => openSink(folder, rehearse, signal),
  }
}

async function openSink(folder: string, rehearse: boolean, signal: AbortSignal): Promise<Sink> {
  // Loaded with the engine only once the input is known to be good.
  const { openEmbedded } = await import('./open-embedded.js')
  const session = await openEmbedded(folder, { create: true, signal })
  try {
    await migrate(session)
  } catch (error) {
    // The first error is the one to tell.
    await session.close().catch(() => undefined)
    throw error
  }
  return {
    async write(delivery, _onRetry, settings) {
      const options = { ...toApplyOptions(settings), rehearse, target: `the embedded database in ${folder}` }
      const receipt = await applyInVersion(session, delivery, options)
      await session.sync()
      return receipt
    },
    close: () => session.close(),
  }
}
