/** The bulk path: the order of its statements, which decides how long writers of one commit wait for each other. */

import t from 'tap'
import { migrate } from '../../src/database/migrate.js'
import { connectPostgres } from '../../src/database/postgres/connect.js'
import { parseDsn } from '../../src/database/postgres/dsn.js'
import type { SqlSession } from '../../src/database/session.js'
import { applyBulk } from '../../src/database/apply.js'
import { deliveryOf, size } from '../fixtures/delivery.js'
import { query } from '../fixtures/records.js'
import { startPostgres } from '../fixtures/postgres.js'

t.test("the commit's row is written after all rows are staged, together with their upserts", async t => {
  const server = await startPostgres(t)
  const url = (await server.createDatabase('staged')).replace('?sslmode=disable', '')
  const session = await connectPostgres(parseDsn(url, { insecureLocal: true }))
  t.teardown(() => session.close())
  await migrate(session)
  const turns: string[] = []

  const { kinds } = await applyBulk(noting(session, turns), await deliveryOf([query({ query_idx: 1 }), size('tpch')]))

  t.strictSame(turns, ['execute', 'copy', 'copy', 'pipeline of 4', 'execute'])
  t.strictSame(
    kinds.map(({ kind, inserted }) => [kind, inserted]),
    [
      ['query_measurement', 1],
      ['compression_size', 1],
    ],
  )
})

t.test('settings determine the size of a COPY and the memory for sorting', async t => {
  const server = await startPostgres(t)
  const url = (await server.createDatabase('settings')).replace('?sslmode=disable', '')
  const session = await connectPostgres(parseDsn(url, { insecureLocal: true }))
  t.teardown(() => session.close())
  await migrate(session)
  // Several blocks of lines, because a COPY contains at least one block.
  const long = 'x'.repeat(2_000)
  const delivery = await deliveryOf(Array.from({ length: 500 }, (_, at) => size(`${long}${at}`)))
  const seen: (readonly [number, string])[] = []
  for (const settings of [{}, { copyBytes: 1, workMemMiB: 7 }]) {
    const turns: string[] = []
    let memory = ''
    const watching = noting(session, turns)
    const pipeline: SqlSession['pipeline'] = async statements => {
      memory = (await session.query<{ work_mem: string }>('SHOW work_mem'))[0]?.work_mem ?? ''
      return watching.pipeline(statements)
    }
    await applyBulk({ ...watching, pipeline }, delivery, { ...settings, end: 'ROLLBACK' })
    seen.push([turns.filter(turn => turn === 'copy').length, memory])
  }
  const [[one, usual], [several, little]] = seen as [readonly [number, string], readonly [number, string]]
  t.strictSame([one, usual, little], [1, '64MB', '7MB'])
  t.ok(several > 3, `${several} COPYs`)
})

/** A session that records each round trip in `turns`. */
function noting(session: SqlSession, turns: string[]): SqlSession {
  return {
    query: (text, values) => (turns.push('query'), session.query(text, values)),
    execute: text => (turns.push('execute'), session.execute(text)),
    pipeline: statements => (turns.push(`pipeline of ${statements.length}`), session.pipeline(statements)),
    copyIn: (target, data) => (turns.push('copy'), session.copyIn(target, data)),
  }
}
