/** Writes one file into a database: one transaction, whichever way is the faster one for so many rows. */

import type { KindReceipt, RowDelivery } from './sink.js'
import type { SqlSession } from './sql.js'
import { applyInOneFlight, smallDelivery } from './small.js'
import { applyStaged } from './staged.js'
import { DEFAULT_SMALL_ROWS, type WriteSettings } from './tunables.js'

export type ApplyOptions = {
  readonly workMemMiB?: number | undefined
  /** Up to how many rows go without staging tables. */
  readonly smallRows?: number | undefined
  /** How much is made and sent as one COPY. Default: what the delivery thinks best. */
  readonly copyBytes?: number | undefined
  /** Does all of it and takes it back. */
  readonly rehearse?: boolean | undefined
}

/** Settings as this takes them. */
export function applyOptionsOf(settings: WriteSettings | undefined): ApplyOptions {
  if (settings === undefined) return {}
  return { workMemMiB: settings['work-mem-mib'], smallRows: settings['small-rows'], copyBytes: settings['copy-bytes'] }
}

/**
 * Applies a delivery whole or not at all. The commit's row is what writers of one commit wait for, so it is touched
 * only when all rows are with the server.
 * @returns a receipt for each kind that the file holds
 */
export async function applyDelivery(
  session: SqlSession,
  delivery: RowDelivery,
  options: ApplyOptions = {},
): Promise<readonly KindReceipt[]> {
  const { smallRows = DEFAULT_SMALL_ROWS, rehearse = false } = options
  const end = rehearse ? 'ROLLBACK' : 'COMMIT'
  try {
    const small = await smallDelivery(delivery, smallRows)
    return small === undefined
      ? await applyStaged(session, delivery, { ...options, end })
      : await applyInOneFlight(session, delivery, { small, end })
  } catch (error) {
    // The session may be gone; the server then rolls back by itself, and the first error is the one to tell.
    await session.execute('ROLLBACK').catch(() => undefined)
    throw error
  }
}
