import fs from 'node:fs'
import t from 'tap'
import { IngestError } from '../../../src/errors.js'
import { openEmbedded } from '../../../src/database/embedded/session.js'
import { databaseCopies } from './fixtures/folders.js'

const copy = await databaseCopies()

/** Text with characters that COPY escapes. */
const escaped = (value: string) =>
  value.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r')

t.test('rows are objects, and int8 is exact text, also in arrays', async t => {
  const session = await openEmbedded(copy(t), { create: false })
  const rows = await session.query(
    `SELECT $1::int8 AS given, count(*) AS counted, ARRAY[9223372036854775807, NULL]::int8[] AS many, 1.5::float8 AS x`,
    ['-9007199254740993'],
  )
  t.strictSame(rows, [{ given: '-9007199254740993', counted: '1', many: ['9223372036854775807', null], x: 1.5 }])
  t.strictSame(await session.query('SELECT 1 WHERE false'), [])
  await session.close()
})

t.test('parameters may be arrays, of any text and of null', async t => {
  const session = await openEmbedded(copy(t), { create: false })
  const texts = ['a"b\\c,{}', null, 'null', '', '\t\r\n', "'", '🚀', 'NULL']
  t.strictSame(
    await session.query('SELECT v FROM unnest($1::text[]) AS v', [texts]),
    texts.map(v => ({ v })),
  )
  t.strictSame(await session.query('SELECT v FROM unnest($1::int8[]) AS v', [['9007199254740993', null]]), [
    { v: '9007199254740993' },
    { v: null },
  ])
  t.strictSame(await session.query('SELECT $1::float8::text AS zero, $2::bool AS yes', ['-0', true]), [
    { zero: '-0', yes: true },
  ])
  await session.close()
})

t.test('a U+FEFF stays where it is in parameters, arrays, JSON, column names, copied rows and errors', async t => {
  const session = await openEmbedded(copy(t), { create: false })
  const [plain, doubled, alone] = ['\ufeffx', '\ufeff\ufeff', '\ufeff']
  t.strictSame(
    await session.query(
      `SELECT $1::text AS value, length($1) AS length, $2::text[] AS many, $2::text[]::text AS written,
        to_jsonb($1::text) AS json, $3 AS "\ufeffname"`,
      [plain, [doubled, alone], 'inner\ufeff\ufeff'],
    ),
    [
      {
        value: plain,
        length: 2,
        many: [doubled, alone],
        written: `{${doubled},${alone}}`,
        json: plain,
        '\ufeffname': 'inner\ufeff\ufeff',
      },
    ],
  )
  await session.execute('CREATE TABLE copied (v text)')
  await session.copyIn({ table: 'copied', columns: ['v'] }, Buffer.from(`${plain}\n${doubled}\n${alone}\n`))
  t.strictSame(await session.query('SELECT v, length(v) FROM copied ORDER BY ctid'), [
    { v: plain, length: 2 },
    { v: doubled, length: 2 },
    { v: alone, length: 1 },
  ])
  const raise = `DO $$ BEGIN RAISE EXCEPTION '\ufeffno' USING DETAIL = '\ufeffbecause'; END $$`
  const failure = { message: 'embedded database: \ufeffno', cause: { detail: '\ufeffbecause' } }
  await t.rejects(session.execute(raise), failure)
  await t.rejects(session.query(raise), failure)
  await session.close()
})

t.test('a value of many megabytes and many rows are returned completely', async t => {
  const session = await openEmbedded(copy(t), { create: false })
  const [large] = await session.query<{ v: string }>(`SELECT repeat('a🦀é', 3000000) AS v`)
  t.ok(large?.v === 'a🦀é'.repeat(3_000_000))
  const rows = await session.query(`SELECT g, repeat('é', g % 100) AS v FROM generate_series(1, 30000) AS g`)
  t.strictSame(
    rows,
    Array.from({ length: 30_000 }, (_, index) => ({ g: index + 1, v: 'é'.repeat((index + 1) % 100) })),
  )
  await session.close()
})

t.test('COPY takes special characters and 20,000 rows, and int8 beyond 2^53', async t => {
  const session = await openEmbedded(copy(t), { create: false })
  await session.execute('CREATE TABLE "of ""rows""" (id int8, "a b" text)')
  const values = [
    'plain',
    'tab\t',
    'line\nfeed',
    'return\r',
    'back\\slash',
    '\\.',
    '\\N',
    '"q"',
    "'",
    '',
    'ünï🚀',
    ',{}',
  ]
  const value = (row: number) => values[row % values.length] ?? ''
  const ids = Array.from({ length: 20_000 }, (_, row) => (9_007_199_254_740_993n + BigInt(row)).toString())
  const text = ids.map((id, row) => `${id}\t${escaped(value(row))}\n`).join('')
  await session.copyIn({ table: 'of "rows"', columns: ['id', 'a b'] }, Buffer.from(text))
  await session.copyIn({ table: 'of "rows"', columns: ['id'] }, Buffer.from('\\N\n'))
  await session.copyIn({ table: 'of "rows"', columns: ['id'] }, new Uint8Array())

  const rows = await session.query('SELECT id::text, "a b" AS value FROM "of ""rows""" ORDER BY id NULLS LAST')
  t.strictSame(
    rows.slice(0, -1),
    ids.map((id, row) => ({ id, value: value(row) })),
  )
  t.strictSame(rows.at(-1), { id: null, value: null })
  await session.close()
})

t.test('copyIn copies the bytes of the view, not of its whole buffer', async t => {
  const session = await openEmbedded(copy(t), { create: false })
  await session.execute('CREATE TABLE kept (n int)')
  await session.copyIn({ table: 'kept', columns: ['n'] }, Buffer.from('1\n2\n3\n').subarray(2, 4))
  t.strictSame(await session.query('SELECT n FROM kept'), [{ n: 2 }])
  await session.close()
})

t.test('a rejected statement gives one error with its cause, and the session remains usable', async t => {
  const session = await openEmbedded(copy(t), { create: false })
  const copyBad = session.copyIn({ table: 'missing', columns: ['n'] }, Buffer.from('1\n'))
  await t.rejects(copyBad, {
    code: 'target_misconfigured',
    message: /relation "missing" does not exist/,
    cause: { code: '42P01' },
  })
  await t.rejects(session.query('SELECT missing'), {
    code: 'target_misconfigured',
    hint: /migrate/,
    cause: { code: '42703' },
  })
  await t.rejects(session.execute('SELECT 1/0'), {
    code: 'bad_data',
    message: 'embedded database: division by zero',
    cause: { code: '22012' },
  })
  t.strictSame(await session.query('SELECT 1 AS n'), [{ n: 1 }])
  await session.close()
})

t.test('neither a rolled back transaction nor one open at the end leaves anything', async t => {
  const dir = copy(t)
  const session = await openEmbedded(dir, { create: false })
  await session.execute('CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)')
  await session.execute('BEGIN; INSERT INTO kept VALUES (2)')
  await session.execute('ROLLBACK')
  await session.execute('BEGIN; INSERT INTO kept VALUES (3)')
  await t.rejects(session.query('SELECT 1/0'))
  await session.close()

  const again = await openEmbedded(dir, { create: false })
  t.strictSame(await again.query('SELECT n FROM kept'), [{ n: 1 }])
  await again.close()
})

t.test('COMMIT of a transaction that failed is an error, though Postgres does not call it one', async t => {
  const session = await openEmbedded(copy(t), { create: false })
  await session.execute('CREATE TABLE kept (n int)')
  await session.execute('BEGIN; INSERT INTO kept VALUES (1)')
  await t.rejects(session.execute('SELECT 1/0'))
  await t.rejects(session.execute('COMMIT'), { code: 'target_failed', message: /rolled back/ })
  t.strictSame(await session.query('SELECT n FROM kept'), [])
  await session.close()
})

t.test("names are looked up in the schema public, whatever the database's search_path is", async t => {
  const dir = copy(t)
  const session = await openEmbedded(dir, { create: false })
  await session.execute('CREATE SCHEMA other; ALTER DATABASE postgres SET search_path = other')
  await session.close()

  const again = await openEmbedded(dir, { create: false })
  await again.execute('CREATE TABLE kept (n int)')
  t.strictSame(await again.query(`SELECT schemaname AS name FROM pg_tables WHERE tablename = 'kept'`), [
    { name: 'public' },
  ])
  await again.close()
})

t.test('a commit has fsynced the log when it returns, and sync() fsyncs the tables', async t => {
  const session = await openEmbedded(copy(t), { create: false })
  const calls = t.capture(fs, 'fsyncSync', fs.fsyncSync)
  const count = async (work: Promise<unknown>) => (await work, calls().length)

  await session.execute('CREATE TABLE kept (n int)')
  calls()
  t.equal(await count(session.execute('INSERT INTO kept VALUES (1)')), 1, 'one commit, one fsync')
  t.equal(await count(session.execute('BEGIN; INSERT INTO kept VALUES (2)')), 0)
  t.equal(await count(session.execute('COMMIT')), 1)
  t.ok((await count(session.sync())) > 5, 'tables, folders, control file')
  await session.close()
})

t.test('an abort rejects the next statement with its reason, and the open transaction is rolled back', async t => {
  const dir = copy(t)
  const controller = new AbortController()
  const session = await openEmbedded(dir, { create: false, signal: controller.signal })
  await session.execute('CREATE TABLE kept (n int)')
  await session.execute('BEGIN; INSERT INTO kept VALUES (1)')
  controller.abort(new IngestError('terminated', 'got SIGTERM'))

  await t.rejects(session.execute('COMMIT'), { code: 'terminated' })
  await session.close()
  const plain = AbortSignal.abort()
  const again = await openEmbedded(dir, { create: false, signal: plain })
  await t.rejects(again.query('SELECT 1'), { code: 'interrupted', cause: plain.reason as Error })
  await again.close()
  const last = await openEmbedded(dir, { create: false })
  t.strictSame(await last.query('SELECT n FROM kept'), [])
  await last.close()
})

t.test('close() may be called twice, releases the folder, and ends the session', async t => {
  const dir = copy(t)
  const session = await openEmbedded(dir, { create: false })
  await t.rejects(openEmbedded(dir, { create: false }), { code: 'target_busy' })
  await Promise.all([session.close(), session.close()])

  await t.rejects(session.query('SELECT 1'), { code: 'internal', message: /already closed/ })
  await (await openEmbedded(dir, { create: false })).close()
})
