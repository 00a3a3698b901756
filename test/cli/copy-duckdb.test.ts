/** `copy` from real DuckDB files into a real Postgres. */

import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import t from 'tap'
import { contentOf, copy, createSource, dayOf } from './fixtures/copying.js'
import { startMigratedPostgres } from './fixtures/database.js'
import { asList, quoted, statementsOf } from './fixtures/other-databases.js'

const postgres = await startMigratedPostgres(t)
const source = await createSource(postgres, 6, 30)
const content = await contentOf(source)

const TYPES = {
  ...{ str: 'VARCHAR', i32: 'INTEGER', i64: 'BIGINT', f64: 'DOUBLE', '[i64]': 'BIGINT[]', timestamp: 'TIMESTAMPTZ' },
}

/** Writes the tables of the source into a DuckDB file. @param change statements that run at the end */
async function writeFile(path: string, change = ''): Promise<void> {
  const instance = await DuckDBInstance.create(path)
  const connection = await instance.connect()
  const statements = await statementsOf(source, {
    types: TYPES,
    quote: name => `"${name}"`,
    literal: (text, type) => `${quoted(type === '[i64]' ? asList(text) : text)}::${TYPES[type]}`,
  })
  for (const text of [...statements, ...(change === '' ? [] : [change])]) await connection.run(text)
  connection.closeSync()
  instance.closeSync()
}

t.test('every value of a DuckDB file arrives in Postgres', async t => {
  const path = join(t.testdir(), 'bench.duckdb')
  await writeFile(path)
  const target = await postgres.createDatabase()
  const { code, stdout, stderr } = await copy(path, target.url)
  t.equal(code, 0, stderr + stdout)
  t.match(stdout, /^verified: 189 records/m)
  t.strictSame(await contentOf(target), content)
  const part = await postgres.createDatabase()
  await copy(path, part.url, ['--since', dayOf(1), '--until', dayOf(3)])
  t.equal((await part.sql('SELECT * FROM commits')).length, 2)
})

const FIRST = '(SELECT measurement_id FROM query_measurements ORDER BY commit_sha, measurement_id LIMIT 1)'

const BAD: readonly (readonly [string, string, RegExp])[] = [
  [
    'a type that rounds',
    'ALTER TABLE vector_search_runs ALTER threshold TYPE FLOAT',
    /error: vector_search_runs, column threshold: the type FLOAT cannot be copied without loss/,
  ],
  [
    'a time without a time zone',
    'ALTER TABLE commits ALTER "timestamp" TYPE TIMESTAMP USING "timestamp"::VARCHAR::TIMESTAMP',
    /error: commits, column timestamp: the type TIMESTAMP cannot be copied without loss/,
  ],
  ['a missing column', 'ALTER TABLE query_measurements DROP engine', /error: query_measurements has no column engine/],
  [
    'NULL where none may be',
    `UPDATE query_measurements SET value_ns = NULL WHERE measurement_id = ${FIRST}`,
    /error: query_measurements -?\d+, column value_ns: must be an integer, got null/,
  ],
  [
    'a number that is too large',
    `ALTER TABLE query_measurements ALTER value_ns TYPE HUGEINT;
     UPDATE query_measurements SET value_ns = 9223372036854775808 WHERE measurement_id = ${FIRST}`,
    /error: query_measurements -?\d+, column value_ns: /,
  ],
  [
    'a list with NULL',
    `UPDATE query_measurements SET all_runtimes_ns = [1, NULL] WHERE measurement_id = ${FIRST}`,
    /error: query_measurements -?\d+, column all_runtimes_ns: .*got null/,
  ],
]

t.test('files that cannot be copied without loss are refused with the place', async t => {
  const target = await postgres.createDatabase()
  const cwd = t.testdir({ 'broken.duckdb': 'no database' })
  for (const [what, change, message] of BAD) {
    const path = join(cwd, `${what.replaceAll(' ', '-')}.duckdb`)
    await writeFile(path, change)
    const { code, stderr } = await copy(path, target.url)
    t.equal(code, 65, `${what}: ${stderr}`)
    t.match(stderr, message)
  }
  t.match(await copy('broken.duckdb', target.url, [], { cwd }), { code: 65, stderr: /error: broken.duckdb: / })
  t.match(await copy('none.duckdb', target.url, [], { cwd }), { code: 66, stderr: /error: none.duckdb: no such file/ })
  t.equal(await target.countRows(), 0)
})
