/** Copies from a DuckDB file. */

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { IngestError } from '../../../errors.js'
import type { CopySource } from '../copy-source.js'
import { rowSource } from '../row-batches.js'

/** A DuckDB file whose tables have the names and columns of the contract. */
export function duckdbSource(path: string): CopySource {
  return {
    id: `duckdb:${resolve(path)}`,
    description: path,
    async read(filter, work) {
      if (!existsSync(path)) throw new IngestError('no_input', `${path}: no such file`, { hint: 'check the name' })
      const { openDuckDB } = await import('../../../database/duckdb-reader.js')
      const reader = await openDuckDB(path, filter)
      try {
        return await work(await rowSource(reader, { ...filter, description: path }))
      } finally {
        reader.close()
      }
    },
  }
}
