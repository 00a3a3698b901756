/** Accepted changes over HTTP, in both kinds of store. */

import t, { type Test } from 'tap'
import type { AcceptedChangeDocument } from '../../src/analysis/accepted-change.js'
import { parseDsn } from '../../src/database/postgres/dsn.js'
import { postgresStore } from '../../src/server/store/postgres.js'
import type { Store } from '../../src/server/store/store.js'
import { startMigratedPostgres } from '../cli/fixtures/database.js'
import { SHA } from '../fixtures/records.js'
import { waitUntil } from '../fixtures/wait-until.js'
import { envelope } from './fixtures/envelopes.js'
import { plantedSha, pushPlanted } from './fixtures/planted.js'
import { get, HEADERS, post, request, startServer, type Answered, type Running } from './fixtures/server.js'
import { startStore } from './fixtures/store.js'

const ROUTE = '/api/accepted-changes'
const KNOWN = { commit: SHA, note: 'checks every page', by: 'ann@host' }

function send({ url }: Running, path: string, body: object | string, headers = {}): Promise<Answered> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return request(url + path, { method: 'POST', body: text, headers: { ...HEADERS, ...headers } })
}

async function listed(server: Running, query = ''): Promise<readonly AcceptedChangeDocument[]> {
  const { status, body, text } = await get(server, ROUTE + query)
  if (status !== 200) throw new Error(text)
  return body['accepted'] as AcceptedChangeDocument[]
}

function idIn({ body }: Answered): string {
  return (body['accepted'] as AcceptedChangeDocument).id
}

async function suite(t: Test, store: Store): Promise<void> {
  const server = await startServer(t, { store })
  t.equal((await post(server, envelope([]))).status, 200)

  await t.test('one is recorded once, however often and at the same time it is sent', async t => {
    t.strictSame(await listed(server), [])
    const answers = await Promise.all(Array.from({ length: 8 }, () => send(server, ROUTE, KNOWN)))
    t.strictSame(answers.map(({ status }) => status).sort(), [...Array<number>(7).fill(200), 201])
    t.equal(new Set(answers.map(idIn)).size, 1)
    t.match(await listed(server), [{ ...KNOWN, series: [], withdrawn: null, at: /^20\d\d-.*Z$/ }])
    t.match(server.entries.at(-2), { method: 'POST', route: ROUTE, status: 200 })
    t.equal(
      (await send(server, ROUTE, { ...KNOWN, series: ['q7'] })).status,
      201,
      'other series are another acceptance',
    )
  })

  await t.test('a withdrawal is recorded, the first one stays, and the same can be accepted again', async t => {
    const first = idIn(await send(server, ROUTE, KNOWN))
    const path = `${ROUTE}/${first}/withdraw`
    t.match(await send(server, path, { by: 'bob' }), { status: 200, body: { accepted: { withdrawn: { by: 'bob' } } } })
    t.match(await send(server, path, { by: 'eve' }), { status: 200, body: { accepted: { withdrawn: { by: 'bob' } } } })
    const again = await send(server, ROUTE, KNOWN)
    t.equal(again.status, 201)
    t.not(idIn(again), first)
    t.match(await send(server, `${ROUTE}/none/withdraw`, { by: 'eve' }), { status: 404, body: { error: 'not_found' } })
    t.equal((await send(server, `${ROUTE}/a%00b/withdraw`, { by: 'eve' })).status, 404)
  })

  await t.test('writing needs the token, reading does not', async t => {
    for (const headers of [{ authorization: '' }, { authorization: 'Bearer wrong' }]) {
      t.match(await send(server, ROUTE, KNOWN, headers), { status: 401, body: { error: 'unauthorized' } })
      t.equal((await send(server, `${ROUTE}/x/withdraw`, { by: 'eve' }, headers)).status, 401)
    }
    t.match(await request(server.url + ROUTE, { method: 'DELETE' }), { status: 405 })
  })

  await t.test('what is not an acceptance is refused with a reason, and nothing is stored', async t => {
    const before = await listed(server)
    const refused: readonly (readonly [body: object | string, message: RegExp])[] = [
      [{ ...KNOWN, commit: SHA.slice(0, 7) }, /commit must be a full commit id/],
      [{ ...KNOWN, note: '' }, /note must be a text of 1 to 2000 characters/],
      [{ ...KNOWN, note: 'x'.repeat(2_001) }, /note must be a text of 1 to 2000 characters/],
      [{ ...KNOWN, note: 'a\0b' }, /note must be a text/],
      [JSON.stringify({ ...KNOWN, note: '?' }).replace('?', '\\ud800'), /note must be a text/],
      [{ ...KNOWN, by: 7 }, /by must be a text of 1 to 200 characters/],
      [{ ...KNOWN, series: Array(51).fill('q7') }, /at most 50 patterns/],
      [{ ...KNOWN, series: ['x'.repeat(201)] }, /pattern of series must be a text of 1 to 200 characters/],
      [{ ...KNOWN, series: 'q7' }, /series must be a list/],
      [{ ...KNOWN, serie: ['q7'] }, /unknown member; it may have commit, series, note, by/],
      ['[]', /not a JSON object/],
      ['{', /not a JSON object/],
    ]
    for (const [body, message] of refused)
      t.match(await send(server, ROUTE, body), { status: 400, body: { error: 'bad_request', message } })
    const unknown = await send(server, ROUTE, { ...KNOWN, commit: 'f'.repeat(40) })
    t.match(unknown, { status: 404, body: { message: /^no commit f+ is stored$/ } })
    t.strictSame(await listed(server), before)
  })

  await t.test('the list has pages', async t => {
    const all = await listed(server)
    t.equal(all.length, 3)
    const { body } = await get(server, `${ROUTE}?limit=2`)
    t.strictSame([body['accepted'], body['next']], [all.slice(0, 2), all[1]!.id])
    t.strictSame(await listed(server, `?limit=2&after=${all[1]!.id}`), all.slice(2))
    t.equal((await get(server, `${ROUTE}?after=%00`)).status, 400)
  })

  await t.test('an acceptance appears in the changes at once', async t => {
    await pushPlanted(server, { commits: 14, series: 12, changes: [{ series: 3, at: 6, factor: 1.4 }] })
    t.match((await get(server, '/api/changes')).body, { changes: [{ accepted: null }] })
    t.equal((await send(server, ROUTE, { ...KNOWN, commit: plantedSha(6) })).status, 201)
    t.match((await get(server, '/api/changes')).body, { changes: [{ accepted: KNOWN.note }] })
  })

  await t.test('a database without the table has none, and says what to do', async t => {
    await store.change(session => session.execute('DROP TABLE vortex_ingest.accepted_changes'))
    t.strictSame(await listed(server), [])
    for (const [path, body] of [
      [ROUTE, KNOWN],
      [`${ROUTE}/x/withdraw`, { by: 'eve' }],
    ] as const)
      t.match(await send(server, path, body), {
        status: 409,
        body: {
          error: 'not_supported',
          message: /there is no table for them; create it with `vortex-ingest migrate --or/,
        },
      })
    t.match((await get(server, '/api/changes')).status, 200)
  })
}

t.test('the embedded database', async t => suite(t, await startStore(t)))

t.test('Postgres', async t => {
  const { server, createDatabase } = await startMigratedPostgres(t)
  const { name, sql } = await createDatabase()
  const signal = new AbortController().signal
  const options = { signal, random: Math.random, version: 3, onWarning: () => undefined } as const
  const address = parseDsn(server.url(name), { insecureLocal: false })
  const store = await postgresStore(address, { ...options, rolePolicy: 'any' })
  t.teardown(() => store.close())
  await t.test('one that another session is about to record is not recorded again', async t => {
    const running = await startServer(t, { store })
    t.equal((await post(running, envelope([]))).status, 200)
    let isAnswered = false
    const answer = await store.change(async session => {
      await session.execute('BEGIN')
      await session.query(
        `INSERT INTO vortex_ingest.accepted_changes VALUES ('other', $1, '{}', $2, $3, now(), NULL, NULL)`,
        [KNOWN.commit, KNOWN.note, KNOWN.by],
      )
      const sent = send(running, ROUTE, KNOWN).finally(() => (isAnswered = true))
      const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = '${name}' AND wait_event_type = 'Lock'`
      await waitUntil(async () => isAnswered || (await sql(waiting)).length > 0)
      await session.execute('COMMIT')
      return sent
    })
    t.match(answer, { status: 200, body: { accepted: { id: 'other' } } })
    await sql('TRUNCATE vortex_ingest.accepted_changes')
  })

  await suite(t, store)

  await t.test('a role that may only read the table says so', async t => {
    await sql(`CREATE TABLE vortex_ingest.accepted_changes (acceptance_id text)`)
    await sql('GRANT SELECT ON vortex_ingest.accepted_changes TO bench_ingest')
    const asWriter = parseDsn(server.url(name, 'bench_ingest'), { insecureLocal: false })
    const limited = await postgresStore(asWriter, { ...options, rolePolicy: 'bench_ingest' })
    t.teardown(() => limited.close())
    const refusal = await send(await startServer(t, { store: limited }), ROUTE, KNOWN)
    t.match(refusal, { status: 409, body: { message: /this role may only read them; use the role bench_ingest/ } })
  })
})
