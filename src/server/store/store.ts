/** The database behind the server. */

import type { RowDelivery, KindReceipt } from '../../sink/sink.js'
import type { SqlSession } from '../../sink/sql.js'

export interface Store {
  readonly kind: 'embedded' | 'postgres'
  /** In words, without secrets. */
  readonly description: string
  /** How many deliveries it takes at once. */
  readonly sessions: number
  /** All or nothing; conflicts with other writers are retried. */
  write(delivery: RowDelivery): Promise<readonly KindReceipt[]>
  /** Runs queries that only read. */
  read<T>(work: (session: SqlSession) => Promise<T>): Promise<T>
  /** Waits for what is under way; may be called again. */
  close(): Promise<void>
}

export type StoreOptions = {
  /** Aborting makes whatever is under way fail, undone. */
  readonly signal: AbortSignal
  readonly random: () => number
}
