/** Writes one file into a database: one transaction, whichever way is the faster one for so many rows. */

import { highestIn } from '../contract/version-set.js'
import { sqlStateOf } from '../errors.js'
import { databaseVersion } from './contract-version.js'
import { olderTargetError, planDowngrade, type Downgrade } from './downgrade.js'
import { sumReceipt, type Delivery, type KindReceipt, type Receipt, type RowDelivery } from './sink.js'
import type { SqlSession } from './sql.js'
import { applyPipelined, collectPipelinedRows } from './apply-pipelined.js'
import { applyBulk } from './apply-bulk.js'
import { DEFAULT_SMALL_ROWS, type WriteSettings } from './tunables.js'

export type ApplyOptions = {
  readonly workMemMiB?: number | undefined
  /** Up to how many rows go without staging tables. */
  readonly smallRows?: number | undefined
  /** How much is made and sent as one COPY. Default: what the delivery thinks best. */
  readonly copyBytes?: number | undefined
  /** Does all of it and takes it back. */
  readonly rehearse?: boolean | undefined
  /** For a database of an older contract version than the delivery: the part that is left out. */
  readonly downgrade?: Downgrade | undefined
}

/** Settings as this takes them. */
export function toApplyOptions(settings: WriteSettings | undefined): ApplyOptions {
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
  const { smallRows = DEFAULT_SMALL_ROWS, rehearse = false, downgrade } = options
  const end = rehearse ? 'ROLLBACK' : 'COMMIT'
  const version = downgrade?.version ?? highestIn(delivery.fits)
  try {
    const small = await collectPipelinedRows(delivery, smallRows)
    return small === undefined
      ? await applyBulk(session, delivery, { ...options, version, end })
      : await applyPipelined(session, delivery, { small, version, downgrade, end })
  } catch (error) {
    // The session may be gone; the server then rolls back by itself, and the first error is the one to tell.
    await session.execute('ROLLBACK').catch(() => undefined)
    throw error
  }
}

type Applying = ApplyOptions & {
  /** The database in words, without secrets. */
  readonly target: string
}

const UNDEFINED_COLUMN = '42703'

/**
 * Applies a delivery to a database of any contract version. A database that lacks a column is asked for its version.
 * @throws {IngestError} `schema_version` when it is older than the delivery, unless the delivery may be downgraded
 */
export async function applyInVersion(
  session: SqlSession,
  delivery: Delivery,
  { target, ...options }: Applying,
): Promise<Receipt> {
  try {
    return sumReceipt(await applyDelivery(session, delivery, options))
  } catch (error) {
    if (sqlStateOf(error) !== UNDEFINED_COLUMN) throw error
    const version = await databaseVersion(session)
    // The missing column is not one that a later version added.
    if (version >= highestIn(delivery.fits)) throw error
    if (delivery.mayDowngrade !== true) throw olderTargetError({ target, version, delivery })
    const downgrade = await planDowngrade(delivery, version)
    return sumReceipt(await applyDelivery(session, delivery, { ...options, downgrade }), downgrade)
  }
}
