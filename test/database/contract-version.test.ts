/** Files of every contract version written to databases of every contract version, on every kind of database. */

import type { Test } from 'tap'
import { applyInVersion, type ApplyOptions } from '../../src/database/apply.js'
import { databaseVersion } from '../../src/database/contract-version.js'
import { migrate } from '../../src/database/migrate.js'
import type { Delivery, Receipt } from '../../src/source/delivery.js'
import type { SqlSession } from '../../src/database/session.js'
import { deliveryOf } from '../fixtures/delivery.js'
import { BEFORE, line, type Tokens } from '../fixtures/records.js'
import { onEveryDatabase } from './fixtures/every-database.js'

/** The pipelined and the bulk path, which must have the same effect. */
onEveryDatabase(conformance)

async function conformance(t: Test, session: SqlSession, options: ApplyOptions): Promise<void> {
  const apply = (delivery: Delivery): Promise<Receipt> =>
    applyInVersion(session, delivery, { ...options, target: 'the database' })
  const rows = (text: string): Promise<readonly object[]> => session.query(text)
  const test = (title: string, version: number, body: (t: Test) => Promise<void>): Promise<unknown> =>
    t.test(title, async t => {
      await makeDatabase(session, version)
      await body(t)
    })

  for (const version of [1, 2, 3])
    await test(`a database of version ${version} is recognised by its columns`, version, async t => {
      t.equal(await databaseVersion(session), version)
    })

  await test('a file of version 1 leaves null and the default in a database of version 3', 3, async t => {
    const receipt = await apply(await fileOf(1))
    t.match(receipt, { records: 3, inserted: 3, downgrade: undefined })
    t.strictSame(await rows('SELECT value_bytes::text, uncompressed_bytes FROM compression_sizes'), [
      { value_bytes: '4096', uncompressed_bytes: null },
    ])
    t.strictSame(await rows('SELECT open_mode FROM random_access_times'), [{ open_mode: 'cached' }])
  })

  await test('a file of version 1 changes no column that it does not have', 3, async t => {
    await apply(await fileOf(3))
    const again = await apply(await fileOf(1))
    t.match(again, { records: 3, inserted: 0, updated: 3 })
    t.equal(unchanged(again), 3, 'its values are those that are stored')
    t.match(await apply(await fileOf(1, { value_bytes: '5' })), { updated: 3 })
    t.strictSame(await rows('SELECT value_bytes::text, uncompressed_bytes::text FROM compression_sizes'), [
      { value_bytes: '5', uncompressed_bytes: '16384' },
    ])
  })

  await test('the size before compression is overwritten by a file that has it', 3, async t => {
    await apply(await fileOf(2))
    t.equal(unchanged(await apply(await fileOf(2))), 3, 'the same again writes nothing')
    const changed = await apply(await fileOf(2, { uncompressed_bytes: '9223372036854775807' }))
    t.equal(unchanged(changed), 2)
    t.strictSame(await rows('SELECT uncompressed_bytes::text FROM compression_sizes'), [
      { uncompressed_bytes: '9223372036854775807' },
    ])
  })

  await test('the two open modes are rows of their own, and cached keeps the id of version 1', 3, async t => {
    await apply(await fileOf(1))
    const receipt = await apply(await deliveryOf([access('cached'), access('reopen')]))
    t.match(receipt, { records: 2, inserted: 1, updated: 1 })
    t.strictSame(await rows('SELECT open_mode FROM random_access_times ORDER BY open_mode'), [
      { open_mode: 'cached' },
      { open_mode: 'reopen' },
    ])
  })

  await test('an older database rejects a newer file before any record is sent', 1, async t => {
    await t.rejects(apply(await fileOf(3)), {
      code: 'schema_version',
      exitCode: 78,
      message:
        'the database is at contract version 1 but the records are of version 3: ' +
        'the target lacks uncompressed_bytes of compression_size, open_mode of random_access_time',
      hint: /`vortex-ingest migrate`.*--downgrade/,
    })
    t.strictSame(await rows('SELECT 1 FROM commits'), [])
    t.match(await apply(await fileOf(1)), { inserted: 3 }, 'the session goes on')
  })

  await test('only fields that the file has and the database lacks are named', 2, async t => {
    await t.rejects(apply(await deliveryOf([access('cached')])), {
      message: /: the target lacks open_mode of random_access_time$/,
    })
    t.match(await apply(await fileOf(2)), { inserted: 3 })
  })

  await test('records that fit every version are written to any of them', 1, async t => {
    t.match(await apply(await deliveryOf([line('query_measurement')])), { inserted: 1 })
    t.match(await apply(await deliveryOf([])), { records: 0 })
  })

  await test('--downgrade leaves out what the database cannot hold, and counts it', 1, async t => {
    const file = await deliveryOf([
      line('compression_size'),
      access('cached'),
      access('reopen'),
      line('query_measurement'),
    ])
    const receipt = await apply({ ...file, mayDowngrade: true })
    t.match(receipt, { records: 3, inserted: 3, updated: 0 })
    t.strictSame(receipt.downgrade, {
      version: 1,
      fieldsLeftOut: [
        { kind: 'compression_size', field: 'uncompressed_bytes', records: 1 },
        { kind: 'random_access_time', field: 'open_mode', records: 1 },
      ],
      recordsNotSent: [{ kind: 'random_access_time', field: 'open_mode', records: 1 }],
    })
    t.strictSame(await rows('SELECT count(*)::int AS rows FROM random_access_times'), [{ rows: 1 }])
    t.equal(unchanged(await apply({ ...file, mayDowngrade: true })), 3, 'the same again writes nothing')
  })

  await test('a database that was upgraded meanwhile gets all fields and records', 1, async t => {
    const file = { ...(await deliveryOf([access('cached'), access('reopen')])), mayDowngrade: true }
    await apply(file)
    await makeColumns(session, 3)
    t.match(await apply(file), { records: 2, inserted: 1, updated: 1, downgrade: undefined })
  })
}

/** The tables of the newest version without the columns that came after `version`. */
async function makeDatabase(session: SqlSession, version: number): Promise<void> {
  await session.execute('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  await migrate(session)
  if (version < 3) await session.execute('ALTER TABLE random_access_times DROP COLUMN open_mode')
  if (version < 2) await session.execute('ALTER TABLE compression_sizes DROP COLUMN uncompressed_bytes')
}

async function makeColumns(session: SqlSession, version: number): Promise<void> {
  if (version >= 2) await session.execute('ALTER TABLE compression_sizes ADD COLUMN uncompressed_bytes bigint')
  if (version >= 3)
    await session.execute(`ALTER TABLE random_access_times ADD COLUMN open_mode text NOT NULL DEFAULT 'cached'`)
}

/** A query, a size and a random access with the fields of a contract version. */
function fileOf(version: 1 | 2 | 3, changes: Tokens = {}): Promise<Delivery> {
  const before = version === 3 ? {} : BEFORE[version]
  const own = (kind: 'compression_size' | 'random_access_time'): string => {
    const added = kind === 'compression_size' ? 'uncompressed_bytes' : 'open_mode'
    const dropped = added in before ? { [added]: undefined } : {}
    return line(kind, { ...(kind === 'compression_size' ? changes : {}), ...dropped })
  }
  return deliveryOf([line('query_measurement'), own('compression_size'), own('random_access_time')])
}

function access(mode: 'cached' | 'reopen'): string {
  return line('random_access_time', { open_mode: `"${mode}"` })
}

function unchanged({ kinds }: Receipt): number {
  return kinds.reduce((sum, kind) => sum + kind.unchanged, 0)
}
