/** Reads deliveries through the read API of a server (docs/server.md). */

import { IngestError } from '../../errors.js'
import type { LineageReport } from '../../reports/lineage.js'
import type { CommitReader } from '../commit-reader.js'
import { openReadApi, type ReadApiOptions } from '../read-api.js'
import { noDeliveriesError } from './database.js'
import type { Lineage, LineageReader } from './lineage.js'

/** An answer of `GET /api/deliveries`. */
type Answer = Pick<LineageReport, 'measurement' | 'deliveries'> & {
  readonly recorded: boolean
  readonly commit: string | null
}

/** @param commits the commits of the same server; closed with the reader */
export async function lineageAtServer(options: ReadApiOptions, commits: CommitReader): Promise<LineageReader> {
  const api = await openReadApi(options)
  const { description } = api
  const read = async (query: string): Promise<Lineage | undefined> => {
    const { status, text } = await api.ask(`/api/deliveries?${query}`)
    if (status !== 200) {
      const message = `${description} cannot say where values come from: it answered ${status}`
      throw new IngestError('target_misconfigured', message, { hint: 'update vortex-ingest on the server' })
    }
    const { recorded, commit, measurement, deliveries } = parseAnswer(text, description)
    if (!recorded) throw noDeliveriesError(`the database of ${description}`)
    return commit === null ? undefined : { commit, measurement, deliveries }
  }
  return {
    description,
    ofMeasurement: id => read(`id=${id}`),
    ofCommit: async (name, lookUp) => read(`commit=${(await commits.find(name, lookUp)).sha}`),
    async close() {
      api.close()
      await commits.close()
    },
  }
}

function parseAnswer(text: string, description: string): Answer {
  try {
    const answer = JSON.parse(text) as Answer
    if (typeof answer.recorded === 'boolean' && Array.isArray(answer.deliveries)) return answer
  } catch {
    // Reported below.
  }
  const message = `${description}/api/deliveries answered JSON of another shape`
  throw new IngestError('target_misconfigured', message, { hint: 'check the address that --server names' })
}
