/** The embedded database as a store. It has one session, so all requests take turns. */

import { setTimeout as sleep } from 'node:timers/promises'
import { loadEmbedded } from '../../database/embedded/load.js'
import type { EmbeddedSession } from '../../database/embedded/session.js'
import { applyDelivery } from '../../database/apply.js'
import { migrate } from '../../database/migrate.js'
import { SessionPool } from './session-pool.js'
import type { Store, StoreOptions } from './store.js'

/** The engine never returns memory to the system, and sorting in more memory was not faster. */
const WORK_MEM_MIB = 8
/** Bytes per COPY. The engine never returns this memory either, and 4 MiB were not faster. */
const COPY_BYTES = 1024 * 1024

/**
 * Number of records after which the write-ahead log is checkpointed. Committed data is durable before, but a sync takes a while.
 */
const SYNC_RECORDS = 100_000
/** Log volume of an envelope itself, in records: even a small one writes its staging tables to the log. */
const ENVELOPE_RECORDS = 500
/** The log is also checkpointed when nothing was written for this long. */
const SYNC_IDLE_MS = 2_000

/** Opens the database in `folder`. Creates the folder and the tables when they do not exist. */
export async function embeddedStore(folder: string, { signal }: Pick<StoreOptions, 'signal'>): Promise<Store> {
  const pool = new SessionPool(1, () => openMigrated(folder, signal))
  // Runs a query now, so that a broken database is reported at startup and not to the first client.
  await pool.use(session => session.query('SELECT 1'))
  const log = new Log(pool)
  return {
    ...{ kind: 'embedded', description: `the embedded database in ${folder}`, sessions: pool.size },
    write: delivery =>
      pool.use(async session => {
        const receipts = await applyDelivery(session, delivery, { workMemMiB: WORK_MEM_MIB, copyBytes: COPY_BYTES })
        await log.note(
          session,
          receipts.reduce((sum, { records }) => sum + records, ENVELOPE_RECORDS),
        )
        return receipts
      }),
    read: work => pool.use(work),
    close: async () => {
      log.close()
      await pool.close()
    },
  }
}

async function openMigrated(folder: string, signal: AbortSignal): Promise<EmbeddedSession> {
  const { openEmbedded } = await loadEmbedded()
  const session = await openEmbedded(folder, { create: true, signal })
  try {
    await migrate(session)
    return session
  } catch (error) {
    // Only the first error is reported.
    await session.close().catch(() => undefined)
    throw error
  }
}

/** Keeps the database's write-ahead log short. */
class Log {
  #records = 0
  readonly #closing = new AbortController()
  #waiting = false

  constructor(private readonly pool: SessionPool<EmbeddedSession>) {}

  async note(session: EmbeddedSession, records: number): Promise<void> {
    this.#records += records
    if (this.#records >= SYNC_RECORDS) await this.#sync(session)
    else if (!this.#waiting) void this.#syncWhenIdle()
  }

  close(): void {
    this.#closing.abort()
  }

  async #syncWhenIdle(): Promise<void> {
    this.#waiting = true
    try {
      for (let before = -1; before !== this.#records;) {
        before = this.#records
        await sleep(SYNC_IDLE_MS, undefined, { ref: false, signal: this.#closing.signal })
      }
      await this.pool.use(session => this.#sync(session))
    } catch {
      // Closing the database syncs it anyway, and a lost session recovers from its log.
    } finally {
      this.#waiting = false
    }
  }

  /** Syncs and ignores a failure, because the delivery before it has already been committed. */
  async #sync(session: EmbeddedSession): Promise<void> {
    this.#records = 0
    await session.sync().catch(() => undefined)
  }
}
