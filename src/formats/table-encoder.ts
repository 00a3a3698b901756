/** Encodes the rows of a table in a file format, in pieces, so that memory stays flat. */

import type { TextRow } from '../database/queries/rows.js'

export type TableFormat = 'csv' | 'parquet'

export interface TableEncoder {
  /** @returns bytes of the file that are complete; may be empty */
  add(row: TextRow): Uint8Array
  /** @returns the last bytes of the file */
  end(): Uint8Array
}
