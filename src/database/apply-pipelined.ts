/** The pipelined path for small deliveries: after BEGIN, all statements of the transaction are sent in one round trip. */

import type { DeliveryOrigin } from '../contract/delivery-origin.js'
import { CONTRACT, kindIn, type Kind } from '../contract/kinds.js'
import { countNotSent, sentCounts, type Downgrade } from '../source/downgrade.js'
import {
  assertCounts,
  supersededCount,
  type KindReceipt,
  type TransactionReceipt,
  type RowDelivery,
} from '../source/delivery.js'
import { databaseFacts, type StoredOrigin } from './ordering.js'
import type { SqlSession } from './session.js'
import { commitStatements } from './commit-row.js'
import { beginDelivery, upsertLines } from './tables.js'

/** All rows of one kind as COPY text without escapes and without the final line feed. */
export type PipelinedRows = { readonly kind: Kind; readonly rows: number; readonly text: string }

/** Upper bound of the text of all rows, because even a few rows can be long. */
const MAX_BYTES = 4 * 1024 * 1024

/**
 * Reads all rows of a delivery into memory.
 * @returns the rows by kind; undefined when the delivery must take the bulk path because it has more than `maxRows` rows,
 * exceeds `MAX_BYTES`, or contains a character that COPY text escapes
 */
export async function collectPipelinedRows(
  delivery: RowDelivery,
  maxRows: number,
): Promise<readonly PipelinedRows[] | undefined> {
  const total = [...delivery.counts.values()].reduce((all, count) => all + count, 0)
  if (total > maxRows) return undefined
  let bytes = 0
  const collected = new Map<Kind, { rows: number; text: string }>()
  for await (const { kind, rows, text } of delivery.rows()) {
    const before = collected.get(kind) ?? { rows: 0, text: '' }
    bytes += text.length
    if (bytes > MAX_BYTES || holdsEscapes(text)) return undefined
    collected.set(kind, { rows: before.rows + rows, text: before.text + text.toString('utf8') })
  }
  assertCounts(delivery, kind => [...collected].find(([{ kind: name }]) => name === kind)?.[1].rows ?? 0)
  return CONTRACT.kinds.flatMap(kind => {
    const { rows, text } = collected.get(kind) ?? { rows: 0, text: '' }
    return rows === 0 ? [] : [{ kind, rows, text: text.slice(0, -1) }]
  })
}

const BACKSLASH = 0x5c
const LETTER_N = 0x4e

/** Whether COPY text contains a backslash other than in `\N`, which stands for null. */
function holdsEscapes(text: Buffer): boolean {
  for (let at = text.indexOf(BACKSLASH); at !== -1; at = text.indexOf(BACKSLASH, at + 1))
    if (text[at + 1] !== LETTER_N) return true
  return false
}

/** The statement that ends the transaction. */
export type End = 'COMMIT' | 'ROLLBACK'

type PipelinedOptions = {
  readonly rowsByKind: readonly PipelinedRows[]
  /** The contract version whose columns are written. */
  readonly version: number
  readonly downgrade: Downgrade | undefined
  readonly end: End
}

/**
 * Writes all rows and ends the transaction in one round trip, so that the commit's row is never locked during another one.
 * @returns undefined, and no transaction, when the tables have triggers
 */
export async function applyPipelined(
  session: SqlSession,
  delivery: RowDelivery,
  { rowsByKind, version, downgrade, end }: PipelinedOptions,
): Promise<TransactionReceipt | undefined> {
  const { commit } = delivery
  await delivery.assertMayCommit()
  const kinds = rowsByKind.map(({ kind }) => kindIn(version, kind))
  // Wait for the answer to BEGIN, because each later statement would be a transaction of its own if BEGIN failed.
  const facts = databaseFacts(await session.execute(beginDelivery(kinds)))
  if (facts.hasTriggers) {
    await session.execute('ROLLBACK')
    return undefined
  }
  const order = facts.isOrdered ? delivery.order : undefined
  const isOrdered = order !== undefined
  const origin = facts.hasOrigins ? storedOrigin(delivery, { version, downgrade }) : undefined
  const { values, before, after } = commitStatements(commit, { ...facts, order, origin })
  const upserts = rowsByKind.map(({ text }, at) => ({
    text: upsertLines(kinds[at]!, { isOrdered }),
    values: [...values, text],
  }))
  const answers = await session.pipeline([...before, ...upserts, ...after, { text: end }])
  const receipts = rowsByKind.map(({ kind, rows }, index) =>
    kindReceipt(kind, { written: answers[before.length + index], records: rows - countNotSent(downgrade, kind.kind) }),
  )
  return { kinds: receipts, isOrdered, hasOrigin: facts.hasOrigins }
}

const UNKNOWN: DeliveryOrigin = { sources: [], sourceCount: 0 }

/** The origin of a delivery as the database stores it. */
export function storedOrigin(
  { origin = UNKNOWN, counts }: RowDelivery,
  { version, downgrade }: Pick<PipelinedOptions, 'version' | 'downgrade'>,
): StoredOrigin {
  return { origin, contractVersion: version, records: sentCounts(counts, downgrade) }
}

/** The result of an upsert. @see writtenCounts in `tables.ts` */
type Written = {
  readonly inserted: number
  readonly rewritten: number
  readonly ids: number
  readonly superseded: number
}

/** The receipt of one kind. @param written the answer to its upsert */
export function kindReceipt(
  { kind }: Kind,
  { written, records }: { readonly written: readonly object[] | undefined; readonly records: number },
): KindReceipt {
  const [{ inserted, rewritten, ids, superseded }] = written as readonly [Written]
  const unchanged = ids - inserted - rewritten
  return { kind, records, inserted, updated: records - inserted, unchanged, ...supersededCount(superseded) }
}
