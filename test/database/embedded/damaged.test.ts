import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openEmbedded } from '../../../src/database/embedded/session.js'
import { lockFolder } from '../../../src/database/embedded/lock.js'
import { databaseCopies, emptyFolder } from './fixtures/folders.js'

type Damage = { readonly what: string; readonly damage: (dataDir: string) => void; readonly said: RegExp }

const DAMAGES: readonly Damage[] = [
  {
    what: 'a data folder of another Postgres',
    damage: dataDir => writeFileSync(join(dataDir, 'PG_VERSION'), '17\n'),
    said: /^the embedded database in \S+ was made by Postgres 17, and this version has 18$/,
  },
  {
    what: 'a folder with other things in it',
    damage: dataDir => rmSync(join(dataDir, 'PG_VERSION')),
    said: /PG_VERSION is missing/,
  },
  {
    what: 'an empty control file (PANIC)',
    damage: dataDir => truncateSync(join(dataDir, 'global/pg_control')),
    said: /could not read file "global\/pg_control": read 0 of \d+$/,
  },
  {
    what: 'a random control file (FATAL)',
    damage: dataDir => writeFileSync(join(dataDir, 'global/pg_control'), Buffer.alloc(8192, 'random')),
    said: /database files are incompatible with server \(The database cluster was initialized with/,
  },
  {
    what: 'no log',
    damage: dataDir => rmSync(join(dataDir, 'pg_wal'), { recursive: true }),
    said: /cannot start the embedded database in \S+: /,
  },
  {
    what: 'a lost system table',
    damage: dataDir => rmSync(join(dataDir, 'base/5/1259')),
    said: /cannot start the embedded database in \S+: /,
  },
  {
    what: 'a configuration that Postgres does not read',
    damage: dataDir => writeFileSync(join(dataDir, 'postgresql.conf'), 'a = = b\n'),
    said: /contains errors/,
  },
]

t.test('a damaged data folder gives one clear error, stays in place, and its lock is released', async t => {
  const copy = await databaseCopies()
  for (const { what, damage, said } of DAMAGES) {
    const dir = copy(t)
    damage(join(dir, 'db'))
    const before = readdirSync(join(dir, 'db'))

    await t.rejects(
      openEmbedded(dir, { create: true }),
      { code: 'target_misconfigured', message: said, hint: /move (it|the folder) away/ },
      what,
    )
    const missing = before.filter(name => !readdirSync(join(dir, 'db')).includes(name))
    t.strictSame(missing, [], 'nothing is taken away')
    await (await lockFolder(dir)).release()
  }
  t.equal(process.exitCode, undefined, 'the engine sets no exit code of its own')
})

t.test('a damaged or missing file of a table is called damage, which no retry repairs', async t => {
  const copy = await databaseCopies()
  for (const [damage, reason] of [
    [(file: string) => writeFileSync(file, Buffer.alloc(8192, 'random')), 'invalid page in block 0 of relation'],
    [rmSync, 'could not open file'],
  ] as const) {
    const dir = copy(t)
    const session = await openEmbedded(dir, { create: false })
    await session.execute('CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)')
    const [row] = await session.query<{ path: string }>(`SELECT pg_relation_filepath('kept') AS path`)
    await session.close()
    damage(join(dir, 'db', row?.path ?? ''))

    const again = await openEmbedded(dir, { create: false })
    const message = new RegExp(`^the embedded database in ${dir}/db is damaged: ${reason}`)
    await t.rejects(again.query('SELECT n FROM kept'), { code: 'target_misconfigured', message, hint: /move it away/ })
    await again.close()
  }
})

t.test('a file in place of the data folder is rejected and not changed', async t => {
  const dir = emptyFolder(t)
  writeFileSync(join(dir, 'db'), 'mine')
  await t.rejects(openEmbedded(dir, { create: true }), { code: 'target_misconfigured', message: /is not a folder/ })
  t.equal(readFileSync(join(dir, 'db'), 'utf8'), 'mine')
})

t.test('a copy of a folder is an independent database', async t => {
  const dir = (await databaseCopies())(t)
  const elsewhere = emptyFolder(t)
  const first = await openEmbedded(dir, { create: false })
  await first.execute('CREATE TABLE kept (n int)')
  await first.close()
  cpSync(join(dir, 'db'), join(elsewhere, 'db'), { recursive: true })

  const both = [await openEmbedded(dir, { create: false }), await openEmbedded(elsewhere, { create: false })]
  await both[1]?.execute('INSERT INTO kept VALUES (1)')
  t.strictSame(await both[0]?.query('SELECT n FROM kept'), [])
  for (const session of both) await session.close()
})
