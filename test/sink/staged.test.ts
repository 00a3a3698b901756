/** How long writers of one commit wait for each other when their rows are staged. */

import t from 'tap'
import { migrate } from '../../src/sink/migrate.js'
import { connectPostgres } from '../../src/sink/postgres/connect.js'
import { parseDsn } from '../../src/sink/postgres/dsn.js'
import type { SqlSession } from '../../src/sink/sql.js'
import { applyStaged } from '../../src/sink/staged.js'
import { deliveryOf, query, size } from '../fixtures/delivery.js'
import { startPostgres } from '../fixtures/postgres.js'

t.test("the commit's row is touched when all rows are staged, and together with their upserts", async t => {
  const server = await startPostgres(t)
  const url = (await server.createDatabase('staged')).replace('?sslmode=disable', '')
  const session = await connectPostgres(parseDsn(url, { insecureLocal: true }))
  t.teardown(() => session.close())
  await migrate(session)
  const turns: string[] = []

  const receipts = await applyStaged(
    noting(session, turns),
    await deliveryOf([query({ query_idx: 1 }), size('tpch')]),
  )

  t.strictSame(turns, ['execute', 'copy', 'copy', 'flight of 3', 'execute'])
  t.strictSame(
    receipts.map(({ kind, inserted }) => [kind, inserted]),
    [
      ['query_measurement', 1],
      ['compression_size', 1],
    ],
  )
})

/** The same session; each wait for the server goes to `turns`. */
function noting(session: SqlSession, turns: string[]): SqlSession {
  return {
    query: (text, values) => (turns.push('query'), session.query(text, values)),
    execute: text => (turns.push('execute'), session.execute(text)),
    flight: statements => (turns.push(`flight of ${statements.length}`), session.flight(statements)),
    copyIn: (target, data) => (turns.push('copy'), session.copyIn(target, data)),
  }
}
