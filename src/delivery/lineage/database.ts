/** Reads deliveries from a database. `server.ts` does the same through a server. */

import { findMeasurement, mayReadDeliveries, readDeliveries } from '../../database/queries/deliveries.js'
import { inSnapshot } from '../../database/session.js'
import { IngestError } from '../../errors.js'
import { databaseReader, type OpenDatabase } from '../database-reader.js'
import type { LookUp } from '../commit-reader.js'
import { toDeliveryEntry, type Lineage, type LineageReader } from './lineage.js'

/** @throws {IngestError} `target_misconfigured` when the database does not store deliveries, or the role may not read them */
export async function lineageInDatabase(database: OpenDatabase): Promise<LineageReader> {
  const { session, description } = database
  if (!(await mayReadDeliveries(session))) {
    await database.close()
    throw noDeliveriesError(description)
  }
  const commits = databaseReader(database)
  return {
    description,
    close: database.close,
    ofMeasurement: id => inSnapshot(session, () => lineageOfMeasurement(database, id)),
    async ofCommit(name: string, lookUp: LookUp) {
      const { sha: commit } = await commits.find(name, lookUp)
      const deliveries = await readDeliveries(session, { commit })
      return { commit, measurement: null, deliveries: deliveries.map(toDeliveryEntry) }
    },
  }
}

async function lineageOfMeasurement({ session }: OpenDatabase, id: string): Promise<Lineage | undefined> {
  const measurement = await findMeasurement(session, id)
  if (measurement === undefined) return undefined
  const { kind, commit } = measurement
  const deliveries = await readDeliveries(session, { commit, measurement })
  return { commit, measurement: { id, kind: kind.kind }, deliveries: deliveries.map(toDeliveryEntry) }
}

export function noDeliveriesError(place: string): IngestError {
  const hint = '`vortex-ingest migrate DSN --ordering` creates the schema vortex_ingest and grants its rights'
  return new IngestError('target_misconfigured', `${place} stores no deliveries, or this role may not read them`, {
    hint,
  })
}
