/** Writes one delivery into a database in one transaction, by the pipelined path or the bulk path depending on its size. */

import type { Commit } from '../contract/commit.js'
import type { Kind } from '../contract/kinds.js'
import { highestIn } from '../contract/version-set.js'
import { sqlStateOf } from '../errors.js'
import {
  assertCounts,
  sumReceipt,
  type TransactionReceipt,
  type Delivery,
  type Receipt,
  type RowDelivery,
} from '../source/delivery.js'
import { countNotSent, deliveredKinds, olderTargetError, planDowngrade, type Downgrade } from '../source/downgrade.js'
import { applyPipelined, collectPipelinedRows, kindReceipt, storedOrigin, type End } from './apply-pipelined.js'
import { commitStatements, compareCommit } from './commit-row.js'
import { databaseVersion } from './contract-version.js'
import { explainRefusal } from './interventions.js'
import { databaseFacts, notStoredError, toRaisedError } from './ordering.js'
import { rollBackOnError, type SqlSession } from './session.js'
import {
  beginStaging,
  compareStaged,
  insertOrUpsertStaged,
  stagingColumns,
  stagingTable,
  upsertStaged,
  type UpsertOptions,
} from './tables.js'
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

type ApplyInVersionOptions = ApplyOptions & {
  /** The database as named in messages, without secrets. */
  readonly target: string
  /** The target's write settings, which take precedence over the other options. */
  readonly settings?: WriteSettings | undefined
}

const UNDEFINED_COLUMN = '42703'
const UNIQUE_VIOLATION = '23505'

/**
 * Applies a delivery to a database of any contract version. The version is queried only after a column was found missing.
 * @throws {IngestError} `schema_version` when the database is older than the delivery and the delivery may not be downgraded
 */
export async function applyInVersion(
  session: SqlSession,
  delivery: Delivery,
  { target, settings = {}, ...given }: ApplyInVersionOptions,
): Promise<Receipt> {
  const {
    'work-mem-mib': workMemMiB = given.workMemMiB,
    'small-rows': smallRows = given.smallRows,
    'copy-bytes': copyBytes = given.copyBytes,
  } = settings
  const options = { ...given, workMemMiB, smallRows, copyBytes }
  try {
    return toReceipt(await applyDelivery(session, delivery, options))
  } catch (error) {
    if (sqlStateOf(error) !== UNDEFINED_COLUMN) throw error
    const version = await databaseVersion(session)
    // The missing column was not added by a later contract version, so a downgrade does not help.
    if (version >= highestIn(delivery.fits)) throw error
    if (delivery.mayDowngrade !== true) throw olderTargetError({ target, version, delivery })
    const downgrade = await planDowngrade(delivery, version)
    return toReceipt(await applyDelivery(session, delivery, { ...options, downgrade }), downgrade)
  }
}

function toReceipt({ kinds, ...database }: TransactionReceipt, downgrade?: Downgrade): Receipt {
  return { ...sumReceipt(kinds, downgrade), ...database }
}

/**
 * Applies a delivery completely or not at all. Writers of one commit wait for each other at the commit's row, so that row is
 * written only after the server has received all other rows.
 * @returns a receipt for each kind that the delivery contains
 * @throws {FencedError} when a later lease has written to the database
 */
export async function applyDelivery(
  session: SqlSession,
  delivery: RowDelivery,
  options: ApplyOptions = {},
): Promise<TransactionReceipt> {
  const { smallRows = DEFAULT_SMALL_ROWS, rehearse = false, downgrade } = options
  const end = rehearse ? 'ROLLBACK' : 'COMMIT'
  const version = downgrade?.version ?? highestIn(delivery.fits)
  const apply = async (): Promise<TransactionReceipt> => {
    const rowsByKind = await collectPipelinedRows(delivery, smallRows)
    return rowsByKind === undefined
      ? applyBulk(session, delivery, { ...options, version, end })
      : ((await applyPipelined(session, delivery, { rowsByKind, version, downgrade, end })) ??
          // Triggers may change rows after they were written. The bulk path reads them again.
          applyBulk(session, delivery, { ...options, version, end }))
  }
  try {
    return await rollBackOnError(session, apply)
  } catch (error) {
    const tables = ['commits', ...deliveredKinds(delivery.counts, version).map(({ table }) => table)]
    throw await explainRefusal(session, toRaisedError(error), tables)
  }
}

type BulkOptions = ApplyOptions & {
  /** The contract version whose columns are written. Default: the newest version that fits the delivery. */
  readonly version?: number
  readonly end?: End
}

/**
 * The bulk path for large deliveries: COPY into staging tables, then one upsert per kind. All rows are staged before the
 * commit's row is written, and the upserts are sent together with the commit, so the lock on the commit's row lasts only while
 * the upserts run.
 */
export async function applyBulk(
  session: SqlSession,
  delivery: RowDelivery,
  options: BulkOptions = {},
): Promise<TransactionReceipt> {
  try {
    return await applyStaged(session, delivery, { ...options, statementFor: insertOrUpsertStaged })
  } catch (error) {
    if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error
    // The table has rows of a commit that `commits` lacks. If the violation has another cause, the second attempt fails too.
    await session.execute('ROLLBACK')
    return applyStaged(session, delivery, { ...options, statementFor: upsertStaged })
  }
}

type BulkAttempt = BulkOptions & { readonly statementFor: (kind: Kind, options: UpsertOptions) => string }

async function applyStaged(
  session: SqlSession,
  delivery: RowDelivery,
  { version = highestIn(delivery.fits), downgrade, workMemMiB, copyBytes, end = 'COMMIT', statementFor }: BulkAttempt,
): Promise<TransactionReceipt> {
  const kinds = deliveredKinds(delivery.counts, version)
  const { commit } = delivery
  const { hasTriggers, ...facts } = databaseFacts(await session.execute(beginStaging(kinds, workMemMiB)))
  const order = facts.isOrdered ? delivery.order : undefined
  const isOrdered = order !== undefined
  const origin = facts.hasOrigins ? storedOrigin(delivery, { version, downgrade }) : undefined
  const staged = await stage(session, delivery, copyBytes)
  await delivery.assertMayCommit()
  const { values, before, after } = commitStatements(commit, { ...facts, order, origin })
  const upserts = kinds.map(kind => ({ text: statementFor(kind, { isOrdered }), values }))
  const answers = await session.pipeline([...before, ...upserts, ...after])
  if (hasTriggers) await assertStored(session, { commit, kinds, isOrdered })
  const receipts = kinds.map((kind, index) => {
    const records = (staged.get(kind.kind) ?? 0) - countNotSent(downgrade, kind.kind)
    return kindReceipt(kind, { written: answers[before.length + index], records })
  })
  await session.execute(end)
  return { kinds: receipts, isOrdered, hasOrigin: facts.hasOrigins }
}

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

type Staged = UpsertOptions & { readonly commit: Commit; readonly kinds: readonly Kind[] }

/**
 * Finds out what triggers changed. Deferred triggers run now.
 * @throws {IngestError} `target_refused` when the database accepted the commit or rows and does not hold them
 */
async function assertStored(session: SqlSession, { commit, kinds, isOrdered }: Staged): Promise<void> {
  await session.execute('SET CONSTRAINTS ALL IMMEDIATE')
  const { text, values } = compareCommit(commit, { isOrdered })
  const [found] = await session.query<{ isStored: boolean }>(text, values)
  if (found?.isStored !== true) throw notStoredError('commits', { sent: 1, stored: 0 })
  for (const kind of kinds) {
    const [compared] = await session.query<Compared>(compareStaged(kind, { isOrdered }), [commit.sha])
    const { ids, missing, differing } = compared!
    if (missing + differing > 0) throw notStoredError(kind.table, { sent: ids, stored: ids - missing - differing })
  }
}

type Compared = { readonly ids: number; readonly missing: number; readonly differing: number }
