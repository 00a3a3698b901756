/** `copy` from a real MariaDB into a real Postgres. */

import t from 'tap'
import { contentOf, copy, createSource, dayOf } from './fixtures/copying.js'
import { startMigratedPostgres } from './fixtures/database.js'
import { asList, quoted, statementsOf } from './fixtures/other-databases.js'
import { MISSING_MARIADB, startMariaDB } from '../fixtures/mariadb.js'

if (MISSING_MARIADB !== undefined) t.plan(0, MISSING_MARIADB)
else await suite()

async function suite(): Promise<void> {
  const [postgres, mariadb] = [await startMigratedPostgres(t), await startMariaDB(t)]
  const source = await createSource(postgres, 6, 30)
  const content = await contentOf(source)
  const statements = await statementsOf(source, {
    types: {
      str: 'varchar(500)',
      i32: 'int',
      i64: 'bigint',
      f64: 'double',
      '[i64]': 'json',
      timestamp: 'timestamp(6)',
    },
    quote: name => `\`${name}\``,
    // MariaDB has no time zones in literals. The session is in UTC.
    literal: (text, type) => {
      if (type === '[i64]') return quoted(asList(text))
      return type === 'timestamp' ? quoted(text.replace('+00', '')) : quoted(text)
    },
  })
  const tables = { character: 'CHARACTER SET utf8mb4' }
  let databases = 0
  const createDatabase = async (change: readonly string[] = []): Promise<string> => {
    const name = `bench_${++databases}`
    await mariadb.sql(undefined, [`CREATE DATABASE ${name} ${tables.character}`])
    await mariadb.sql(name, [...statements, ...change])
    return mariadb.url(name)
  }

  await t.test('every value of a MariaDB database arrives in Postgres', async t => {
    const url = await createDatabase()
    const target = await postgres.createDatabase()
    const { code, stdout, stderr } = await copy(url, target.url)
    t.equal(code, 0, stderr + stdout)
    t.match(stdout, /^verified: 189 records/m)
    t.notMatch(stdout + stderr, /geheim/)
    t.strictSame(await contentOf(target), content)
    const part = await postgres.createDatabase()
    await copy(url, part.url, ['--since', dayOf(1), '--until', dayOf(3)])
    t.equal((await part.sql('SELECT * FROM commits')).length, 2)
  })

  const bad: readonly (readonly [string, readonly string[], RegExp])[] = [
    [
      'text that is not UTF-8',
      [
        'ALTER TABLE query_measurements MODIFY dataset varbinary(500)',
        `UPDATE query_measurements SET dataset = X'66FF'`,
      ],
      /error: query_measurements -?\d+, column dataset: its text is not valid UTF-8/,
    ],
    [
      'NULL where none may be',
      ['UPDATE query_measurements SET value_ns = NULL'],
      /error: query_measurements -?\d+, column value_ns: must be an integer, got null/,
    ],
    [
      'a type that rounds',
      ['ALTER TABLE vector_search_runs MODIFY threshold float'],
      /error: vector_search_runs, column threshold: the type float cannot be copied without loss/,
    ],
    [
      'a time without a time zone',
      ['ALTER TABLE commits MODIFY `timestamp` datetime(6)'],
      /error: commits, column timestamp: the type datetime cannot be copied without loss/,
    ],
    [
      'a missing column',
      ['ALTER TABLE query_measurements DROP COLUMN engine'],
      /error: query_measurements has no column engine/,
    ],
    [
      'an unsigned number that is too large',
      [
        'ALTER TABLE query_measurements MODIFY value_ns bigint unsigned',
        'UPDATE query_measurements SET value_ns = 18446744073709551615',
      ],
      /error: query_measurements -?\d+, column value_ns: /,
    ],
  ]

  await t.test('databases that cannot be copied without loss are refused with the place', async t => {
    const target = await postgres.createDatabase()
    for (const [what, change, message] of bad) {
      const positive = 'DELETE FROM query_measurements WHERE value_ns < 0'
      const { code, stderr } = await copy(await createDatabase([positive, ...change]), target.url)
      t.equal(code, 65, `${what}: ${stderr}`)
      t.match(stderr, message)
    }
    t.equal(await target.countRows(), 0)
    const dead = await copy('mysql://reader:geheim@127.0.0.1:1/bench', target.url)
    t.match(dead, { code: 69, stderr: /error: mysql:\/\/reader@127.0.0.1:1\/bench: connection refused/ })
    const missing = await copy(mariadb.url('nowhere'), target.url)
    t.match(missing, { code: 78, stderr: /nowhere/ })
  })
}
