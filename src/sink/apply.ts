/** Writes one file into a database: one transaction, whichever way is the faster one for so many rows. */

import type { KindReceipt, RowDelivery } from './sink.js'
import type { SqlSession } from './sql.js'
import { applyInOneFlight, smallDelivery } from './small.js'
import { applyStaged } from './staged.js'
import type { WorkMem } from './tables.js'

export type ApplyOptions = {
  readonly workMem?: WorkMem
  /** Up to how many rows go without staging tables. */
  readonly smallRows?: number
}

/** Beyond this, staging tables are as fast, and memory stays flat with them. Measured: bench/README.md. */
const SMALL_ROWS = 5_000

/**
 * Applies a delivery whole or not at all. The commit's row is what writers of one commit wait for, so it is touched
 * only when all rows are with the server.
 * @returns a receipt for each kind that the file holds
 */
export async function applyDelivery(
  session: SqlSession,
  delivery: RowDelivery,
  { workMem, smallRows = SMALL_ROWS }: ApplyOptions = {},
): Promise<readonly KindReceipt[]> {
  try {
    const small = await smallDelivery(delivery, smallRows)
    return small === undefined
      ? await applyStaged(session, delivery, workMem)
      : await applyInOneFlight(session, delivery, small)
  } catch (error) {
    // The session may be gone; the server then rolls back by itself, and the first error is the one to tell.
    await session.execute('ROLLBACK').catch(() => undefined)
    throw error
  }
}
