import fs from 'node:fs'
import t from 'tap'
import { openEmbedded, type EmbeddedSession } from '../../../src/database/embedded/session.js'
import { databaseCopies } from './fixtures/folders.js'

/** A session makes about 170 writes. The test lets every n-th of them fail, alone or with all later ones. */
const STRIDE = 17
const BATCHES = 4
const ROWS = 300

t.test(
  'whichever write or fsync fails, no commit is lost or partial, nothing hangs, and the database opens again',
  async t => {
    const copy = await databaseCopies()
    const disk = failingDisk(t)
    let reached = true
    for (let at = 1; reached; at += STRIDE) {
      const dir = copy(t)
      const session = await openEmbedded(dir, { create: false })
      await session.execute('CREATE TABLE kept (batch int)')
      disk.failFrom(at, at % 2 === 0 ? 1 : Infinity)
      const { committed, unsure, failures } = await commitBatches(session)
      t.equal(failures > 0, disk.failed(), `failure ${at} was told, if it was met`)
      await session.close().catch(() => undefined)
      reached = disk.failed()
      disk.heal()

      const again = await openEmbedded(dir, { create: false })
      const rows = await again.query<{ batch: number; n: number }>(
        'SELECT batch, count(*)::int AS n FROM kept GROUP BY 1',
      )
      const found = rows.map(row => row.batch)
      t.strictSame(
        committed.filter(batch => !found.includes(batch)),
        [],
        `after ${at}: all that was committed is there`,
      )
      t.strictSame(
        found.filter(batch => !committed.includes(batch) && !unsure.includes(batch)),
        [],
        'and nothing refused',
      )
      t.ok(
        rows.every(row => row.n === ROWS),
        'whole batches only',
      )
      await again.close()
    }
  },
)

type Outcome = { readonly committed: number[]; readonly unsure: number[]; readonly failures: number }

/** A failed COMMIT may have reached the disk, so retrying the same statements must be harmless. */
async function commitBatches(session: EmbeddedSession): Promise<Outcome> {
  const committed: number[] = []
  const unsure: number[] = []
  let failures = 0
  for (let batch = 0; batch < BATCHES; batch++) {
    try {
      await session.execute(`BEGIN; INSERT INTO kept SELECT ${batch} FROM generate_series(1, ${ROWS})`)
      unsure.push(batch)
      await session.execute('COMMIT')
      committed.push(batch)
      await session.sync()
    } catch {
      failures++
      await session.execute('ROLLBACK').catch(() => undefined)
    }
  }
  return { committed, unsure, failures }
}

type Test = { teardown(fn: () => void): unknown }
type FailingDisk = { failFrom(first: number, times: number): void; failed(): boolean; heal(): void }

/** Makes this process's writes and fsyncs fail, starting with number `first`. */
function failingDisk(t: Test): FailingDisk {
  const real = { writeSync: fs.writeSync, fsyncSync: fs.fsyncSync }
  let [calls, first, last] = [0, Infinity, Infinity]
  const failing =
    (call: (...args: never[]) => unknown) =>
    (...args: never[]) => {
      calls++
      if (calls >= first && calls <= last) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
      return call(...args)
    }
  Object.assign(fs, { writeSync: failing(real.writeSync), fsyncSync: failing(real.fsyncSync) })
  t.teardown(() => Object.assign(fs, real))
  return {
    failFrom: (from, times) => void ([calls, first, last] = [0, from, from + times - 1]),
    failed: () => calls >= first,
    heal: () => void (first = Infinity),
  }
}
