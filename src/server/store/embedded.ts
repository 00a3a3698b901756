/** The embedded database as a store: one session, so everything takes turns. */

import { setTimeout as sleep } from 'node:timers/promises'
import { loadEmbedded } from '../../sink/embedded/load.js'
import type { EmbeddedSession } from '../../sink/embedded/session.js'
import { applyDelivery } from '../../sink/apply.js'
import { migrate } from '../../sink/migrate.js'
import { SessionPool } from './session-pool.js'
import type { Store, StoreOptions } from './store.js'

/** What it takes it never gives back to the system; sorting in more memory was no faster. */
const WORK_MEM_MIB = 8
/** The same of what it copies from: 4 MiB at a time were no faster. */
const COPY_BYTES = 1024 * 1024

/** What was committed is safe in the log; moving it on costs a while, and is due when the log has grown so far. */
const SYNC_RECORDS = 100_000
/** A small envelope writes as much as so many records: its staging tables are in the log, too. */
const ENVELOPE_RECORDS = 500
/** And when nobody wrote for so long. */
const SYNC_IDLE_MS = 2_000

/** Opens the database in `folder`, making it and its tables when they are not there yet. */
export async function embeddedStore(folder: string, { signal }: Pick<StoreOptions, 'signal'>): Promise<Store> {
  const pool = new SessionPool(1, () => openMigrated(folder, signal))
  // Whatever is wrong with it is told now, not to the first client.
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
    // The first error is the one to tell.
    await session.close().catch(() => undefined)
    throw error
  }
}

/** Keeps the database's log short. */
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
      // Closing syncs by itself, and a session that is lost recovers from its log.
    } finally {
      this.#waiting = false
    }
  }

  /** The delivery before it is committed already: that this failed is no reason to call that failed. */
  async #sync(session: EmbeddedSession): Promise<void> {
    this.#records = 0
    await session.sync().catch(() => undefined)
  }
}
