/** The embedded target. */

import { describeEmbedded, embeddedId } from './location.js'
import { loadEmbedded } from '../../database/embedded/load.js'
import { databaseSink, type DatabaseSinkOptions } from '../database-sink.js'
import type { SinkOpener } from '../sink.js'

/** The embedded database in `folder` as a target. Opening it creates a missing database and applies migrations. */
export function embeddedSink(folder: string, { rehearse }: Pick<DatabaseSinkOptions, 'rehearse'> = {}): SinkOpener {
  return databaseSink(
    {
      id: embeddedId(folder),
      description: describeEmbedded(folder),
      // The engine is loaded after the input was validated, because loading is slow.
      opensEarly: false,
      openSession: async signal => (await loadEmbedded()).openMigrated(folder, signal),
      afterWrite: session => session.sync(),
    },
    { rehearse },
  )
}
