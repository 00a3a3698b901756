/** Tests reading the rows of two commits from databases of every contract version, with Postgres and the embedded database. */

import t, { type Test } from 'tap'
import type { Measurement } from '../../../src/analysis/series.js'
import { wasmHash64 } from '../../../src/contract/hash64.js'
import { readCommitRows } from '../../../src/database/queries/commit-rows.js'
import { applyInVersion } from '../../../src/database/apply.js'
import { openEmbedded } from '../../../src/database/embedded/session.js'
import { migrate } from '../../../src/database/migrate.js'
import { connectPostgres } from '../../../src/database/postgres/connect.js'
import { parseDsn } from '../../../src/database/postgres/dsn.js'
import type { SqlSession } from '../../../src/database/session.js'
import { COMMIT, line, SHA } from '../../fixtures/records.js'
import { deliveryOf, olderTables } from '../../fixtures/delivery.js'
import { startPostgres } from '../../fixtures/postgres.js'
import { databaseCopies } from '../embedded/fixtures/folders.js'

const hash = await wasmHash64()
const OTHER = 'b'.repeat(40)
const copyDatabase = await databaseCopies()
const postgres = await startPostgres(t)

for (const version of [1, 2, 3]) {
  t.test(`Postgres at version ${version}`, async t => {
    const url = (await postgres.createDatabase(`compared_${version}`)).replace('?sslmode=disable', '')
    const session = await connectPostgres(parseDsn(url, { insecureLocal: true }))
    await check(t, session, version).finally(() => session.close())
  })
  t.test(`the embedded database at version ${version}`, async t => {
    const session = await openEmbedded(copyDatabase(t), { create: false })
    await check(t, session, version).finally(() => session.close())
  })
}

const RECORDS = [
  line('compression_size'),
  line('random_access_time'),
  line('random_access_time', { open_mode: '"reopen"' }),
]

async function check(t: Test, session: SqlSession, version: number): Promise<void> {
  await migrate(session)
  for (const statement of olderTables(version)) await session.execute(statement)
  const delivery = { ...(await deliveryOf(RECORDS, { ...COMMIT, sha: SHA })), mayDowngrade: true }
  await applyInVersion(session, delivery, { target: 'the database' })
  const limits = { smallBytes: -1, mostSeries: 1_000 }
  const { kinds } = await readCommitRows(session, { base: OTHER, head: SHA }, { hash, limits })
  const headOf = (name: string): readonly Measurement[] => kinds.find(({ kind }) => kind.kind === name)!.rows.head
  t.strictSame(
    headOf('compression_size').map(({ uncompressed }) => uncompressed),
    [version === 1 ? undefined : 16_384n],
  )
  t.strictSame(
    headOf('random_access_time')
      .map(({ dimensions }) => dimensions)
      .sort(),
    [['taxi', 'vortex', 'cached'], ...(version === 3 ? [['taxi', 'vortex', 'reopen']] : [])],
  )
}
