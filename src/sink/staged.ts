/** Many rows: COPY into staging tables first, then one upsert a kind. */

import { COMMIT_FIELDS } from '../contract/commit.js'
import { CONTRACT, type Kind } from '../contract/kinds.js'
import { assertCounts, type KindReceipt, type RowDelivery } from './sink.js'
import type { SqlSession } from './sql.js'
import {
  beginStaging,
  countStagedIds,
  stagingColumns,
  stagingTable,
  upsertCommit,
  upsertStaged,
  type WorkMem,
} from './tables.js'

/** Everything is staged before the commit's row is touched, which is held only while the upserts run. */
export async function applyStaged(
  session: SqlSession,
  delivery: RowDelivery,
  workMem: WorkMem | undefined,
): Promise<readonly KindReceipt[]> {
  const kinds = CONTRACT.kinds.filter(kind => (delivery.counts.get(kind.kind) ?? 0) > 0)
  await session.execute(beginStaging(kinds, workMem))
  const staged = await stage(session, delivery)
  await delivery.assertUnchanged()
  const { commit } = delivery
  await session.query(
    upsertCommit(),
    COMMIT_FIELDS.map(field => commit[field]),
  )
  const receipts: KindReceipt[] = []
  for (const kind of kinds) receipts.push(await upsert(session, kind, { delivery, staged: staged.get(kind.kind) ?? 0 }))
  await session.execute('COMMIT')
  return receipts
}

/** @returns the rows staged of each kind */
async function stage(session: SqlSession, delivery: RowDelivery): Promise<ReadonlyMap<string, number>> {
  const staged = new Map<string, number>()
  let inFlight: Promise<void> = Promise.resolve()
  try {
    for await (const { kind, rows, text } of delivery.rows()) {
      await inFlight
      staged.set(kind.kind, (staged.get(kind.kind) ?? 0) + rows)
      inFlight = session.copyIn({ table: stagingTable(kind), columns: stagingColumns(kind) }, text)
      // Awaited before the next chunk; until then a failure must not count as unhandled.
      inFlight.catch(() => undefined)
    }
  } finally {
    await inFlight
  }
  assertCounts(delivery, kind => staged.get(kind) ?? 0)
  return staged
}

type Upsert = { readonly delivery: RowDelivery; readonly staged: number }

async function upsert(session: SqlSession, kind: Kind, { delivery, staged }: Upsert): Promise<KindReceipt> {
  const { sha, timestamp } = delivery.commit
  const [written] = await session.query<{ inserted: number; rewritten: number }>(upsertStaged(kind), [sha, timestamp])
  const { inserted, rewritten } = written ?? { inserted: 0, rewritten: 0 }
  // Only when some row was not written can ids repeat or rows be as they were: then it pays to count the ids.
  const distinct = inserted + rewritten === staged ? staged : await countIds(session, kind)
  const unchanged = distinct - inserted - rewritten
  return { kind: kind.kind, records: staged, inserted, updated: staged - inserted, unchanged }
}

async function countIds(session: SqlSession, kind: Kind): Promise<number> {
  const [row] = await session.query<{ ids: number }>(countStagedIds(kind))
  return row?.ids ?? 0
}
