/** The interface of the server's database, and its implementation over a pool of sessions. */

import { setImmediate } from 'node:timers/promises'
import { Slots, type SessionPool } from '../../database/session-pool.js'
import type { ClosableSession, SqlSession } from '../../database/session.js'
import type { TransactionReceipt, RowDelivery } from '../../source/delivery.js'

export interface Store {
  readonly kind: 'embedded' | 'postgres'
  /** A description for messages, without secrets. */
  readonly description: string
  /** Number of deliveries that can be applied concurrently. */
  readonly sessions: number
  /** Whether a late delivery cannot replace newer values, as found when the store was opened. */
  readonly isOrdered: boolean
  /** Applies a delivery in one transaction and retries conflicts with other writers. */
  write(delivery: RowDelivery): Promise<TransactionReceipt>
  /** Runs statements that write something other than measurements. Retries conflicts, so they must be one transaction. */
  change<T>(work: (session: SqlSession) => Promise<T>): Promise<T>
  /** Runs read-only queries. */
  read<T>(work: (session: SqlSession) => Promise<T>): Promise<T>
  /** Waits for running work, then closes. May be called more than once. */
  close(): Promise<void>
}

type DatabaseStoreOptions<Session extends ClosableSession> = Pick<Store, 'kind' | 'description' | 'isOrdered'> & {
  readonly writers: SessionPool<Session>
  /** Default: reading takes turns with writing, so that a writer waits for at most two reads. */
  readonly readers?: SessionPool<Session>
  /** Applies a delivery in a session. */
  readonly apply: (session: Session, delivery: RowDelivery) => Promise<TransactionReceipt>
}

export function databaseStore<Session extends ClosableSession>(options: DatabaseStoreOptions<Session>): Store {
  const { kind, description, isOrdered, writers, readers = writers, apply } = options
  // All other reads wait here and not in the queue of the writers' pool.
  const turns = new Slots(readers.size)
  return {
    ...{ kind, description, isOrdered, sessions: writers.size },
    write: delivery => writers.transact(session => apply(session, delivery)),
    change: work => writers.transact(work),
    read: work =>
      turns.run(async () => {
        // The embedded database blocks the process, so a writer could not even send its request while reads follow each other.
        await setImmediate()
        return readers.transact(work)
      }),
    close: async () => {
      await Promise.all([writers.close(), readers.close()])
    },
  }
}
