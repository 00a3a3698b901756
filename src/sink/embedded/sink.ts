/** The embedded database as a target. */

import { applyDelivery } from '../apply.js'
import { migrate } from '../migrate.js'
import type { Sink } from '../sink.js'
import { openEmbedded } from './database.js'

/** Opens the database in `folder`, making it and its tables when they are not there yet. */
export async function embeddedSink(folder: string, { signal }: { readonly signal: AbortSignal }): Promise<Sink> {
  const session = await openEmbedded(folder, { create: true, signal })
  try {
    await migrate(session)
  } catch (error) {
    // The first error is the one to tell.
    await session.close().catch(() => undefined)
    throw error
  }
  return {
    description: `the embedded database in ${folder}`,
    async write(delivery) {
      const kinds = await applyDelivery(session, delivery)
      await session.sync()
      return { kinds, attempts: 1 }
    },
    close: () => session.close(),
  }
}
