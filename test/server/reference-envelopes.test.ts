/** Posts every reference envelope to a server of contract version 1 and checks the content of its database. */

import t from 'tap'
import { readSharedFixture } from '../fixtures/shared.js'
import { post, startServer } from './fixtures/server.js'
import { emptyTables, startStore, storedIds } from './fixtures/store.js'

type Case = {
  readonly why: string
  readonly body?: string
  readonly body_b64?: string
  readonly expect: {
    readonly status: number
    readonly error: string | null
    readonly record_index: number | null
    readonly measurement_ids: readonly string[]
  }
}

t.test('every reference envelope is answered and stored as by the reference server', async t => {
  const text = await readSharedFixture(t, 'fixtures/envelopes.jsonl')
  if (text === undefined) return
  const store = await startStore(t)
  const server = await startServer(t, { store, version: 1 })
  for (const row of text.trimEnd().split('\n')) {
    const { why, body, body_b64, expect } = JSON.parse(row) as Case
    const answer = await post(server, body ?? Buffer.from(body_b64 ?? '', 'base64'))
    const { error = null, record_index = null } = answer.body
    const ids = await storedIds(store)
    t.strictSame(
      { status: answer.status, error, record_index, ids },
      {
        ...{ status: expect.status, error: expect.error, record_index: expect.record_index },
        ids: [...new Set(expect.measurement_ids)].sort(),
      },
      why,
    )
    if (answer.status === 200) {
      const { inserted, updated } = answer.body as { inserted: number; updated: number }
      const distinct = new Set(expect.measurement_ids).size
      t.strictSame([inserted, updated], [distinct, expect.measurement_ids.length - distinct], why)
      await emptyTables(store)
    }
  }
})
