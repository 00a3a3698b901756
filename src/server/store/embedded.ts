/** The embedded database as a store. It has one session, so all requests take turns. */

import { setTimeout as sleep } from 'node:timers/promises'
import { applyDelivery } from '../../database/apply.js'
import { loadEmbedded } from '../../database/embedded/load.js'
import type { EmbeddedSession } from '../../database/embedded/session.js'
import { SessionPool } from '../../database/session-pool.js'
import { databaseStore, type Store } from './store.js'

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

/**
 * Opens the database in `folder`. Creates the folder and the tables when they do not exist.
 * @param options.signal aborting makes the next statements fail
 */
export async function embeddedStore(folder: string, { signal }: { readonly signal: AbortSignal }): Promise<Store> {
  const { openMigrated } = await loadEmbedded()
  const pool = new SessionPool({ size: 1, open: () => openMigrated(folder, signal) })
  // Opens the database now, so that a broken one is reported at startup and not to the first client.
  await pool.use(async () => undefined)
  const log = new Log(pool)
  const store = databaseStore({
    ...{ kind: 'embedded', description: `the embedded database in ${folder}`, isOrdered: true, writers: pool },
    async apply(session, delivery) {
      const applied = await applyDelivery(session, delivery, { workMemMiB: WORK_MEM_MIB, copyBytes: COPY_BYTES })
      const records = applied.kinds.reduce((sum, { records }) => sum + records, ENVELOPE_RECORDS)
      await log.note(session, records)
      return applied
    },
  })
  return {
    ...store,
    close: async () => {
      log.close()
      await store.close()
    },
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
