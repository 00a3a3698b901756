/** The bulk path for large deliveries: COPY into staging tables, then one upsert per kind. */

import { COMMIT_FIELDS } from '../contract/commit.js'
import type { Kind } from '../contract/kinds.js'
import { highestIn } from '../contract/version-set.js'
import { sqlStateOf } from '../errors.js'
import { deliveredKinds, countNotSent, type Downgrade } from '../source/downgrade.js'
import { assertCounts, type KindReceipt, type RowDelivery } from '../source/delivery.js'
import type { End } from './apply-pipelined.js'
import type { SqlSession } from './sql.js'
import {
  beginStaging,
  countStagedIds,
  insertOrUpsertStaged,
  stagingColumns,
  stagingTable,
  storedCommit,
  updateCommitTimestamps,
  upsertCommit,
  upsertStaged,
} from './tables.js'

/** Options of the bulk path. */
export type BulkOptions = {
  /** The contract version whose columns are written. Default: the newest version that fits the delivery. */
  readonly version?: number | undefined
  readonly downgrade?: Downgrade | undefined
  readonly workMemMiB?: number | undefined
  readonly copyBytes?: number | undefined
  readonly end?: End
}

/**
 * Applies a delivery. All rows are staged before the commit's row is written, and the upserts are sent together with the
 * commit, so the lock on the commit's row lasts only while the upserts run.
 */
export async function applyBulk(
  session: SqlSession,
  delivery: RowDelivery,
  staging: BulkOptions = {},
): Promise<readonly KindReceipt[]> {
  try {
    return await applyWith(session, delivery, { ...staging, statementFor: insertOrUpsertStaged })
  } catch (error) {
    if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error
    // The table has rows of a commit that `commits` lacks. If the violation has another cause, the second attempt fails too.
    await session.execute('ROLLBACK')
    return applyWith(session, delivery, { ...staging, statementFor: upsertStaged })
  }
}

const UNIQUE_VIOLATION = '23505'

type BulkAttempt = BulkOptions & { readonly statementFor: (kind: Kind) => string }

async function applyWith(
  session: SqlSession,
  delivery: RowDelivery,
  { version = highestIn(delivery.fits), downgrade, workMemMiB, copyBytes, end = 'COMMIT', statementFor }: BulkAttempt,
): Promise<readonly KindReceipt[]> {
  const kinds = deliveredKinds(delivery.counts, version)
  await session.execute(beginStaging(kinds, workMemMiB))
  const staged = await stage(session, delivery, copyBytes)
  await delivery.assertMayCommit()
  const stored = storedCommit(delivery.commit)
  const upsertOfCommit = { text: upsertCommit(), values: COMMIT_FIELDS.map(field => stored[field]) }
  const values = [stored.sha, stored.timestamp]
  const upserts = kinds.map(kind => ({ text: statementFor(kind), values }))
  const timestamps = { text: updateCommitTimestamps(), values }
  const [, ...answers] = await session.pipeline([upsertOfCommit, ...upserts, timestamps])
  const receipts: KindReceipt[] = []
  for (const [index, kind] of kinds.entries()) {
    const [written = NOTHING_WRITTEN] = (answers[index] ?? []) as readonly Written[]
    const sent = (staged.get(kind.kind) ?? 0) - countNotSent(downgrade, kind.kind)
    receipts.push(await kindReceipt(session, kind, { ...written, staged: sent }))
  }
  await session.execute(end)
  return receipts
}

type Written = { readonly inserted: number; readonly rewritten: number }

const NOTHING_WRITTEN: Written = { inserted: 0, rewritten: 0 }

/** Copies all rows into the staging tables. @returns the number of staged rows by kind name */
async function stage(
  session: SqlSession,
  delivery: RowDelivery,
  copyBytes: number | undefined,
): Promise<ReadonlyMap<string, number>> {
  const staged = new Map<string, number>()
  let inFlight: Promise<void> = Promise.resolve()
  try {
    for await (const { kind, rows, text } of delivery.rows(copyBytes)) {
      await inFlight
      staged.set(kind.kind, (staged.get(kind.kind) ?? 0) + rows)
      inFlight = session.copyIn({ table: stagingTable(kind), columns: stagingColumns(kind) }, text)
      // The COPY is awaited before the next one starts. Until then its failure must not count as an unhandled rejection.
      inFlight.catch(() => undefined)
    }
  } finally {
    await inFlight
  }
  assertCounts(delivery, kind => staged.get(kind) ?? 0)
  return staged
}

type Outcome = Written & { readonly staged: number }

async function kindReceipt(
  session: SqlSession,
  kind: Kind,
  { inserted, rewritten, staged }: Outcome,
): Promise<KindReceipt> {
  // If every staged row was written, all ids are distinct and no row was unchanged, so the ids need not be counted.
  const distinct = inserted + rewritten === staged ? staged : await countIds(session, kind)
  const unchanged = distinct - inserted - rewritten
  return { kind: kind.kind, records: staged, inserted, updated: staged - inserted, unchanged }
}

async function countIds(session: SqlSession, kind: Kind): Promise<number> {
  const [row] = await session.query<{ ids: number }>(countStagedIds(kind))
  return row?.ids ?? 0
}
