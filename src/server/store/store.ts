/** The interface of the server's database. */

import type { RowDelivery, KindReceipt } from '../../source/delivery.js'
import type { SqlSession } from '../../database/sql.js'

export interface Store {
  readonly kind: 'embedded' | 'postgres'
  /** A description for messages, without secrets. */
  readonly description: string
  /** Number of deliveries that can be applied concurrently. */
  readonly sessions: number
  /** Applies a delivery in one transaction and retries conflicts with other writers. */
  write(delivery: RowDelivery): Promise<readonly KindReceipt[]>
  /** Runs read-only queries. */
  read<T>(work: (session: SqlSession) => Promise<T>): Promise<T>
  /** Waits for running work, then closes. May be called more than once. */
  close(): Promise<void>
}

export type StoreOptions = {
  /** Aborting makes all running work fail and roll back. */
  readonly signal: AbortSignal
  readonly random: () => number
}
