/** Writes one delivery into a database in one transaction, by the pipelined path or the bulk path depending on its size. */

import { highestIn } from '../contract/version-set.js'
import { sqlStateOf } from '../errors.js'
import { databaseVersion } from './contract-version.js'
import { olderTargetError, planDowngrade, type Downgrade } from '../source/downgrade.js'
import { sumReceipt, type Delivery, type KindReceipt, type Receipt, type RowDelivery } from '../source/delivery.js'
import type { SqlSession } from './sql.js'
import { applyPipelined, collectPipelinedRows } from './apply-pipelined.js'
import { applyBulk } from './apply-bulk.js'
import { DEFAULT_SMALL_ROWS, type WriteSettings } from './tunables.js'

export type ApplyOptions = {
  readonly workMemMiB?: number | undefined
  /** The largest number of rows that takes the pipelined path. */
  readonly smallRows?: number | undefined
  /** Approximate size of one COPY. Default: chosen by the delivery. */
  readonly copyBytes?: number | undefined
  /** Whether to roll the transaction back after doing all the work. */
  readonly rehearse?: boolean | undefined
  /** Fields and records to leave out because the database has an older contract version than the delivery. */
  readonly downgrade?: Downgrade | undefined
}

/** Converts a target's write settings into options of `applyDelivery`. */
export function toApplyOptions(settings: WriteSettings | undefined): ApplyOptions {
  if (settings === undefined) return {}
  return { workMemMiB: settings['work-mem-mib'], smallRows: settings['small-rows'], copyBytes: settings['copy-bytes'] }
}

/**
 * Applies a delivery completely or not at all. Writers of one commit wait for each other at the commit's row, so that row is
 * written only after the server has received all other rows.
 * @returns a receipt for each kind that the delivery contains
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
    const rowsByKind = await collectPipelinedRows(delivery, smallRows)
    return rowsByKind === undefined
      ? await applyBulk(session, delivery, { ...options, version, end })
      : await applyPipelined(session, delivery, { rowsByKind, version, downgrade, end })
  } catch (error) {
    // If the session is lost, the server rolls back and this ROLLBACK fails. The first error is the one to report.
    await session.execute('ROLLBACK').catch(() => undefined)
    throw error
  }
}

type ApplyInVersionOptions = ApplyOptions & {
  /** The database as named in messages, without secrets. */
  readonly target: string
}

const UNDEFINED_COLUMN = '42703'

/**
 * Applies a delivery to a database of any contract version. The version is queried only after a column was found missing.
 * @throws {IngestError} `schema_version` when the database is older than the delivery and the delivery may not be downgraded
 */
export async function applyInVersion(
  session: SqlSession,
  delivery: Delivery,
  { target, ...options }: ApplyInVersionOptions,
): Promise<Receipt> {
  try {
    return sumReceipt(await applyDelivery(session, delivery, options))
  } catch (error) {
    if (sqlStateOf(error) !== UNDEFINED_COLUMN) throw error
    const version = await databaseVersion(session)
    // The missing column was not added by a later contract version, so a downgrade does not help.
    if (version >= highestIn(delivery.fits)) throw error
    if (delivery.mayDowngrade !== true) throw olderTargetError({ target, version, delivery })
    const downgrade = await planDowngrade(delivery, version)
    return sumReceipt(await applyDelivery(session, delivery, { ...options, downgrade }), downgrade)
  }
}
