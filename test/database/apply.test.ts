/** The conformance suite for applying deliveries, run on every database. */

import type { Test } from 'tap'
import { CONTRACT } from '../../src/contract/kinds.js'
import { utcTimestamp } from '../../src/contract/timestamp.js'
import { applyDelivery, type ApplyOptions } from '../../src/database/apply.js'
import { migrate, migrationNames } from '../../src/database/migrate.js'
import {
  beginStaging,
  insertOrUpsertStaged,
  stagingColumns,
  stagingTable,
  upsertLines,
  upsertStaged,
} from '../../src/database/tables.js'
import type { KindReceipt, RowDelivery } from '../../src/source/delivery.js'
import { commitStatements } from '../../src/database/commit-row.js'
import { repairTimestamps, type TimestampRepair } from '../../src/database/repair-timestamps.js'
import { BEGIN, type SqlSession } from '../../src/database/session.js'
import { COMMIT, query, SHA } from '../fixtures/records.js'
import { deliveryOf, size } from '../fixtures/delivery.js'
import { Random, SEED } from '../fixtures/random.js'
import { onEveryDatabase } from './fixtures/every-database.js'

onEveryDatabase(conformance)

async function conformance(t: Test, session: SqlSession, options: ApplyOptions): Promise<void> {
  const applyWith = async (options: ApplyOptions, delivery: RowDelivery): Promise<readonly KindReceipt[]> =>
    (await applyDelivery(session, delivery, options)).kinds
  const apply = (delivery: RowDelivery): Promise<readonly KindReceipt[]> => applyWith(options, delivery)

  await session.execute('DROP SCHEMA IF EXISTS public, vortex_ingest CASCADE; CREATE SCHEMA public')
  await t.test('migrations apply once and are remembered in name order', async t => {
    const first = await migrate(session)
    const second = await migrate(session)
    t.strictSame(first.applied, await migrationNames())
    t.strictSame(second, { applied: [], alreadyThere: await migrationNames(), revoked: [] })
    t.equal((await rows(session, 'SELECT name FROM _applied_migrations')).length, first.applied.length)
  })

  const test = (name: string, body: (t: Test) => Promise<void>): Promise<unknown> =>
    t.test(name, async t => {
      const tables =
        'commits, query_measurements, compression_times, compression_sizes, random_access_times, vector_search_runs'
      await session.execute(`TRUNCATE ${tables}`)
      await body(t)
    })

  await test('a delivery without records keeps the commit', async t => {
    const receipts = await apply(await deliveryOf([]))
    t.strictSame(receipts, [])
    const [commit] = await rows(session, `SELECT *, timestamp::text AS at FROM commits`)
    t.match(commit, {
      commit_sha: SHA,
      message: COMMIT.message,
      tree_sha: COMMIT.tree_sha,
      at: '2026-02-04 04:30:00+00',
    })
  })

  await test('a second delivery of a commit overwrites every column of its row', async t => {
    await apply(await deliveryOf([]))
    await apply(await deliveryOf([], { ...COMMIT, message: 'amended', url: 'https://example.com/2' }))
    t.match(await rows(session, 'SELECT * FROM commits'), [{ message: 'amended', url: 'https://example.com/2' }])
  })

  await test('new rows are inserted, stored rows are updated, and unchanged rows are counted separately', async t => {
    const first = await apply(await deliveryOf([size('a'), size('b')]))
    const again = await apply(await deliveryOf([size('a'), size('b', 2), size('c')]))
    t.match(first, [{ kind: 'compression_size', records: 2, inserted: 2, updated: 0, unchanged: 0 }])
    t.match(again, [{ kind: 'compression_size', records: 3, inserted: 1, updated: 2, unchanged: 1 }])
    t.strictSame(await sizes(session), ['a=1', 'b=2', 'c=1'])
  })

  await test('rows stored without their commit are found', async t => {
    await apply(await deliveryOf([size('a'), size('b'), query()]))
    await session.execute('DELETE FROM commits')
    const receipts = await apply(await deliveryOf([size('a', 2), size('b'), size('c'), query()]))
    t.match(receipts, [
      { kind: 'query_measurement', records: 1, inserted: 0, updated: 1, unchanged: 1 },
      { kind: 'compression_size', records: 3, inserted: 1, updated: 2, unchanged: 1 },
    ])
    t.strictSame(await sizes(session), ['a=2', 'b=1', 'c=1'])
    t.equal((await rows(session, 'SELECT FROM commits')).length, 1)
    await session.execute('DELETE FROM commits')
    const rehearsal = { ...options, rehearse: true }
    const rehearsed = await applyWith(rehearsal, await deliveryOf([size('a', 3), size('d')]))
    t.match(rehearsed, [{ records: 2, inserted: 1, updated: 1 }])
    t.strictSame(await sizes(session), ['a=2', 'b=1', 'c=1'], 'a rehearsal of that leaves nothing')
  })

  await test('staged rows are looked up only if their commit was stored before', async t => {
    const kind = CONTRACT.kinds.find(({ table }) => table === 'compression_sizes')!
    const staged = await deliveryOf([size('a'), size('b')])
    const lookedUp = async (): Promise<string | undefined> => {
      await session.execute(beginStaging([kind]))
      for await (const { text } of staged.rows())
        await session.copyIn({ table: stagingTable(kind), columns: stagingColumns(kind) }, text)
      await session.pipeline(commitStatements(COMMIT).before)
      const upsert = `EXPLAIN (ANALYZE) ${insertOrUpsertStaged(kind)}`
      const plan = await session.query(upsert, [SHA, COMMIT.timestamp])
      await session.execute('ROLLBACK')
      const text = plan.map(row => Object.values(row).join(' ')).join('\n')
      // The statement that minds conflicts is the only one that says it.
      return /Tuples Inserted: (\d+)/.exec(text)?.[1]
    }
    t.equal(await lookedUp(), '0')
    await apply(await deliveryOf([]))
    t.equal(await lookedUp(), '2')
  })

  await test('stored rows are looked up by id, however many rows the commit has', async t => {
    // Enough that the planner, which knows nothing of the commit, would rather read the whole table once.
    const records = (from: number): string[] =>
      Array.from({ length: 3_000 }, (_, at) => query({ query_idx: from + at }))
    await apply(await deliveryOf(records(0)))
    await apply(await deliveryOf(records(3_000)))
    const kind = CONTRACT.kinds.find(({ table }) => table === 'query_measurements')!
    await session.execute(beginStaging([kind]))
    const staged = await deliveryOf(records(6_000))
    for await (const { text } of staged.rows())
      await session.copyIn({ table: stagingTable(kind), columns: stagingColumns(kind) }, text)
    await session.pipeline(commitStatements(COMMIT).before)
    for (const upsert of [upsertStaged(kind), insertOrUpsertStaged(kind)]) {
      const plan = await session.query(`EXPLAIN ${upsert}`, [SHA, COMMIT.timestamp])
      const text = plan.map(row => Object.values(row).join(' ')).join('\n')
      t.match(text, /Index Scan using query_measurements_pkey/, text)
      t.notMatch(text, /Seq Scan on query_measurements/, text)
    }
    await session.execute('ROLLBACK')
  })

  await test('without staging tables a line is split once, not once for each of its columns', async t => {
    for (const kind of CONTRACT.kinds) {
      const plan = await session.query(`EXPLAIN (VERBOSE) ${upsertLines(kind)}`, [SHA, COMMIT.timestamp, ''])
      const text = plan.map(row => Object.values(row).join(' ')).join('\n')
      t.equal(text.split('string_to_array(lines.text').length - 1, 1, kind.kind)
    }
  })

  await test('a rehearsal does all the work and leaves no change', async t => {
    await apply(await deliveryOf([size('a')]))
    const delivery = await deliveryOf([size('a', 2), size('b')], { ...COMMIT, message: 'rehearsed' })
    const receipts = await applyWith({ ...options, rehearse: true }, delivery)
    t.match(receipts, [{ records: 2, inserted: 1, updated: 1, unchanged: 0 }])
    t.strictSame(await sizes(session), ['a=1'])
    t.match(await rows(session, 'SELECT message FROM commits'), [{ message: COMMIT.message }])
    t.match(await apply(delivery), [{ inserted: 1, updated: 1 }], 'and the session goes on')
  })

  await test('of two records of one measurement the last one is stored and counts as updated', async t => {
    const receipts = await apply(await deliveryOf([size('a', 1), size('b', 5), size('a', 2), size('a', 3)]))
    t.match(receipts, [{ records: 4, inserted: 2, updated: 2, unchanged: 0 }])
    t.strictSame(await sizes(session), ['a=3', 'b=5'])
  })

  await test('a repeated measurement whose last record equals the stored row counts as unchanged once', async t => {
    await apply(await deliveryOf([size('a', 3)]))
    const receipts = await apply(await deliveryOf([size('a', 2), size('a', 3)]))
    t.match(receipts, [{ records: 2, inserted: 0, updated: 2, unchanged: 1 }])
  })

  await test('text is stored unchanged, including characters that COPY escapes', async t => {
    const texts = [
      'tab\there',
      'line\nfeed',
      'carriage\rreturn',
      'back\\slash',
      '\\N',
      '\\.',
      'quote"',
      "it's",
      '',
      ' ',
      '🦀é\u0301',
    ]
    await apply(await deliveryOf(texts.map((text, value) => JSON.parse(size(text, value)) as object)))
    const stored = await rows<{ dataset: string }>(
      session,
      'SELECT dataset FROM compression_sizes ORDER BY value_bytes',
    )
    t.strictSame(
      stored.map(({ dataset }) => dataset),
      texts,
    )
  })

  await test('integers are stored digit for digit', async t => {
    const extremes = ['9223372036854775807', '-9223372036854775808', '9007199254740993', '0', '-1']
    await apply(await deliveryOf(extremes.map((value, index) => size(`d${index}`, value))))
    await apply(
      await deliveryOf([
        `{"kind":"query_measurement","commit_sha":"${SHA}","dataset":"d","query_idx":-2147483648,"storage":"s3","engine":"e","format":"f","value_ns":1,"all_runtimes_ns":[${extremes.join(', ')}]}`,
      ]),
    )
    const stored = await rows<{ value: string }>(
      session,
      'SELECT value_bytes::text AS value FROM compression_sizes ORDER BY dataset',
    )
    t.strictSame(
      stored.map(({ value }) => value),
      extremes,
    )
    const [row] = await rows<{ all: string; idx: number }>(
      session,
      'SELECT all_runtimes_ns::text AS all, query_idx AS idx FROM query_measurements',
    )
    t.match(row, { all: `{${extremes.join(',')}}`, idx: -2147483648 })
  })

  await test('thresholds are stored as the exact double, including the sign of zero', async t => {
    const tokens = [
      '-0.0',
      '0',
      '0.85',
      '1e308',
      '5e-324',
      '-4.2405465858903056e+145',
      '1e-400',
      '9007199254740993',
      '-0',
    ]
    const line = (token: string, index: number): string =>
      `{"kind":"vector_search_run","commit_sha":"${SHA}","dataset":"d${index}","layout":"l","flavor":"f","threshold":${token},"value_ns":1,"all_runtimes_ns":[],"matches":1,"rows_scanned":1,"bytes_scanned":1,"iterations":1}`
    await apply(await deliveryOf(tokens.map(line)))
    const stored = await rows<{ text: string }>(
      session,
      'SELECT threshold::text AS text FROM vector_search_runs ORDER BY dataset',
    )
    t.ok(
      stored.every(({ text }, index) => Object.is(Number(text), Number(tokens[index]))),
      JSON.stringify(stored),
    )
  })

  await test('absent and null are the same and are stored as null', async t => {
    const receipts = await apply(await deliveryOf([query(), query({ dataset_variant: null, env_triple: null })]))
    t.match(receipts, [{ records: 2, inserted: 1, updated: 1 }])
    t.match(await rows(session, 'SELECT dataset_variant, peak_physical FROM query_measurements'), [
      { dataset_variant: null, peak_physical: null },
    ])
  })

  await test("a query measurement has its commit's time, also after only that time changed", async t => {
    const select = 'SELECT commit_timestamp::text AS at FROM query_measurements'
    await apply(await deliveryOf([query()]))
    t.strictSame(await rows(session, select), [{ at: '2026-02-04 04:30:00+00' }])
    const later = { ...COMMIT, timestamp: '2026-04-26T00:00:00Z' }
    const receipts = await apply(await deliveryOf([query()], later))
    t.match(receipts, [{ updated: 1, unchanged: 0 }])
    t.strictSame(await rows(session, select), [{ at: '2026-04-26 00:00:00+00' }])
  })

  await test('a commit time is stored as its instant, rounded to microseconds, whatever its offset', async t => {
    for (const [timestamp, stored] of [
      ['2026-04-25T00:00:00+23:59', '2026-04-24 00:01:00+00'],
      ['2026-04-25T00:00:00.1234567-16:00', '2026-04-25 16:00:00.123457+00'],
      [`2026-04-25T23:59:59.${'9'.repeat(200)}Z`, '2026-04-26 00:00:00+00'],
    ] as const) {
      await apply(await deliveryOf([query()], { ...COMMIT, timestamp }))
      const select = 'SELECT timestamp::text AS of_commit, commit_timestamp::text AS of_row'
      t.strictSame(await rows(session, `${select} FROM commits JOIN query_measurements USING (commit_sha)`), [
        { of_commit: stored, of_row: stored },
      ])
    }
  })

  await test(`the database reads times exactly as this program does (seed ${SEED})`, async t => {
    const random = new Random()
    const given = Array.from({ length: 5_000 }, () => randomTime(random))
    const ours = given.map(text => utcTimestamp(text))
    t.notOk(ours.includes(undefined))
    const differing = `SELECT pair.given, ours FROM unnest($1::text[], $2::text[]) AS pair (given, ours)
      WHERE pair.given::timestamptz IS DISTINCT FROM ours::timestamptz`
    t.strictSame(await session.query(differing, [arrayText(given), arrayText(ours)]), [])
  })

  const disagreeing =
    'SELECT FROM query_measurements JOIN commits USING (commit_sha) WHERE commit_timestamp <> timestamp'

  for (const [what, records] of [
    ['a part of its rows', [query({ query_idx: 1 })]],
    ['rows of another kind', [size('a')]],
    ['no rows', []],
  ] as const)
    await test(`a commit pushed again with another timestamp and ${what} changes the time of all its rows`, async t => {
      const other = { ...COMMIT, sha: SHA.replaceAll('0', '1'), timestamp: '2026-01-01T00:00:00Z' }
      await apply(await deliveryOf([1, 2, 3].map(query_idx => query({ query_idx }))))
      await apply(await deliveryOf([query({ query_idx: 9, commit_sha: other.sha })], other))
      const later = { ...COMMIT, timestamp: '2026-04-26T00:00:00Z' }
      await applyDelivery(session, await deliveryOf(records, later), { ...options, rehearse: true })
      t.strictSame(await times(session), ['2026-01-01', '2026-02-04', '2026-02-04', '2026-02-04'], 'not by a rehearsal')
      await apply(await deliveryOf(records, later))
      t.strictSame(await times(session), ['2026-01-01', '2026-04-26', '2026-04-26', '2026-04-26'])
      t.strictSame(await rows(session, disagreeing), [])
    })

  await test('pushing a commit again with the same timestamp reads none of its other rows', async t => {
    await apply(await deliveryOf([query()]))
    await session.execute(BEGIN)
    await session.pipeline(commitStatements(COMMIT).before)
    const [update] = commitStatements(COMMIT).after
    const plan = await session.query(`EXPLAIN (ANALYZE) ${update?.text}`, update?.values)
    await session.execute('ROLLBACK')
    const text = plan.map(row => Object.values(row).join(' ')).join('\n')
    t.match(text, /on query_measurements .*never executed/, text)
  })

  await test('rows with a wrong commit time are repaired in batches, and rows without a commit are not changed', async t => {
    await apply(await deliveryOf(Array.from({ length: 25 }, (_, query_idx) => query({ query_idx }))))
    await session.execute(`
      UPDATE query_measurements SET commit_timestamp = NULL WHERE query_idx % 5 = 0;
      UPDATE query_measurements SET commit_timestamp = '2020-01-01Z' WHERE query_idx % 5 = 1;
      UPDATE query_measurements SET commit_sha = 'gone' WHERE query_idx = 0`)
    const batches: string[] = []
    const onBatch = ({ examined, repaired }: TimestampRepair): void => void batches.push(`${examined} ${repaired}`)
    const result = await repairTimestamps(session, { batchRows: 10, onBatch })
    t.strictSame(result, { examined: 25, repaired: 9 })
    t.match(batches, [/^10 /, /^20 /, '25 9', '25 9'])
    t.strictSame(await rows(session, disagreeing), [])
    t.strictSame(await repairTimestamps(session), { examined: 25, repaired: 0 }, 'the second time there is nothing')
  })

  await test('an interrupted repair keeps the completed batches', async t => {
    await apply(await deliveryOf(Array.from({ length: 25 }, (_, query_idx) => query({ query_idx }))))
    await session.execute('UPDATE query_measurements SET commit_timestamp = NULL')
    const stop = (): never => {
      throw new Error('interrupted')
    }
    await t.rejects(repairTimestamps(session, { batchRows: 10, onBatch: stop }), { message: 'interrupted' })
    t.strictSame(await repairTimestamps(session), { examined: 25, repaired: 15 })
  })

  await test('a target may have additional columns', async t => {
    await session.execute(`ALTER TABLE compression_sizes ADD COLUMN checked bigint, ADD COLUMN note text DEFAULT 'x'`)
    await apply(await deliveryOf([size('a')]))
    t.match(await rows(session, 'SELECT checked, note FROM compression_sizes'), [{ checked: null, note: 'x' }])
    await session.execute('ALTER TABLE compression_sizes DROP COLUMN checked, DROP COLUMN note')
  })

  await test('a failed delivery leaves nothing, and the session remains usable', async t => {
    const delivery = await deliveryOf([size('a'), query()])
    const broken = { ...delivery, assertMayCommit: () => Promise.reject(new Error('the input changed')) }
    await t.rejects(apply(broken), { message: 'the input changed' })
    t.strictSame(await rows(session, 'SELECT 1 FROM commits UNION ALL SELECT 1 FROM compression_sizes'), [])
    await apply(delivery)
    t.equal((await rows(session, 'SELECT 1 FROM compression_sizes')).length, 1)
  })

  await test('fewer rows than counted are rejected before anything is stored', async t => {
    const delivery = await deliveryOf([size('a'), size('b')])
    const other = await deliveryOf([size('a')])
    await t.rejects(apply({ ...delivery, rows: other.rows }), { code: 'input_changed' })
    t.strictSame(await rows(session, 'SELECT 1 FROM commits'), [])
  })

  await test('more rows than fit in one chunk all arrive', async t => {
    const records = Array.from({ length: 3_000 }, (_, index) =>
      query({ dataset: `d${index % 1_500}`, env_triple: 'x'.repeat(3_000) }),
    )
    const receipts = await apply(await deliveryOf(records))
    t.match(receipts, [{ records: 3_000, inserted: 1_500, updated: 1_500 }])
  })

  await test('a missing column is a clear error and leaves nothing', async t => {
    await session.execute('ALTER TABLE compression_sizes RENAME COLUMN value_bytes TO other')
    await t.rejects(apply(await deliveryOf([size('a')])), {
      code: 'target_misconfigured',
      message: /value_bytes/,
    })
    await session.execute('ALTER TABLE compression_sizes RENAME COLUMN other TO value_bytes')
    t.strictSame(await rows(session, 'SELECT 1 FROM commits'), [])
  })
}

/** Offsets up to 15 hours, which Postgres reads; half of the fractions lie halfway between two microseconds. */
function randomTime(random: Random): string {
  const two = (least: number, most: number): string => String(random.int(least, most)).padStart(2, '0')
  const date = `${random.int(1971, 2098)}-${two(1, 12)}-${two(1, 28)}`
  const fraction = random.digits(random.int(1, 12)).padStart(random.int(1, 12), '0')
  const halfway = `${random.int(0, 999_999)}`.padStart(6, '0') + '5'
  const clock = `${two(0, 23)}:${two(0, 59)}:${two(0, 59)}.${random.chance(0.5) ? halfway : fraction}`
  return `${date}T${clock}${random.pick(['+', '-'])}${two(0, 15)}:${two(0, 59)}`
}

function arrayText(texts: readonly (string | undefined)[]): string {
  return `{${texts.join(',')}}`
}

async function rows<Row extends object>(session: SqlSession, text: string): Promise<readonly Row[]> {
  return await session.query<Row>(text)
}

/** The day of each query measurement's commit time. */
async function times(session: SqlSession): Promise<readonly string[]> {
  const stored = await rows<{ day: string }>(
    session,
    `SELECT (commit_timestamp AT TIME ZONE 'UTC')::date::text AS day FROM query_measurements ORDER BY 1`,
  )
  return stored.map(({ day }) => day)
}

async function sizes(session: SqlSession): Promise<readonly string[]> {
  const stored = await rows<{ text: string }>(
    session,
    `SELECT dataset || '=' || value_bytes AS text FROM compression_sizes ORDER BY dataset`,
  )
  return stored.map(({ text }) => text)
}
