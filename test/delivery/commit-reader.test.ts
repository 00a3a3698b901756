/** One suite for every reader of stored commits: over Postgres, the embedded database, and servers, also of older versions. */

import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { pairUp, seriesDimensions } from '../../src/analysis/series.js'
import { ANCESTRY_HEADER, formatAncestry, type Ancestry } from '../../src/contract/ancestry.js'
import { applyInVersion } from '../../src/database/apply.js'
import { openEmbedded } from '../../src/database/embedded/session.js'
import { migrate } from '../../src/database/migrate.js'
import { connectPostgres } from '../../src/database/postgres/connect.js'
import { parseDsn } from '../../src/database/postgres/dsn.js'
import type { SqlSession } from '../../src/database/session.js'
import type { CommitReader, SeriesValues } from '../../src/delivery/commit-reader.js'
import { databaseReader } from '../../src/delivery/database-reader.js'
import { serverReader } from '../../src/delivery/server-reader.js'
import { startServe, stop, TOKEN } from '../cli/fixtures/serve.js'
import { databaseCopies } from '../database/embedded/fixtures/folders.js'
import { deliveryOf, olderTables } from '../fixtures/delivery.js'
import { listen } from '../fixtures/listen.js'
import { startPostgres } from '../fixtures/postgres.js'
import { access, COMMIT, query, search, size, time, token } from '../fixtures/records.js'
import { commit, envelope } from '../server/fixtures/envelopes.js'
import { request, startServer } from '../server/fixtures/server.js'
import { storeOver } from '../server/fixtures/store.js'

const FIRST = 'abcd'.padEnd(40, '0')
const SECOND = 'abce'.padEnd(40, '0')
const THIRD = '1'.repeat(40)
const UNKNOWN = 'f'.repeat(40)
const sending = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
const MOST = '9223372036854775807'

/** A place that stores commits. */
type Place = {
  readonly reader: CommitReader
  readonly store: (sha: string, day: number, records: readonly string[], ancestry?: Ancestry) => Promise<void>
}

const postgres = await startPostgres(t)
const copyDatabase = await databaseCopies()
let databases = 0

async function openPostgres(t: Test): Promise<SqlSession> {
  const url = (await postgres.createDatabase(`reader_${++databases}`)).replace('?sslmode=disable', '')
  const session = await connectPostgres(parseDsn(url, { insecureLocal: true }))
  t.teardown(() => session.close())
  await migrate(session)
  return session
}

async function openFolder(t: Test): Promise<SqlSession> {
  const session = await openEmbedded(copyDatabase(t), { create: false })
  t.teardown(() => session.close())
  await migrate(session)
  return session
}

const commitOf = (sha: string, day: number) => ({
  ...{ ...COMMIT, sha, timestamp: `2026-01-0${day}T01:00:00.5+01:00` },
  message: `Day ${day}\n\nAnd why.`,
})

function storing(session: SqlSession): Place['store'] {
  return async (sha, day, records, ancestry) => {
    const delivery = await deliveryOf(records, { ...commitOf(sha, day), ancestry })
    await applyInVersion(session, { ...delivery, mayDowngrade: true }, { target: 'the database' })
  }
}

function overSession(session: SqlSession): Place {
  const reader = databaseReader({ session, description: 'the database', close: async () => undefined })
  return { reader, store: storing(session) }
}

function readerOf(url: string): Promise<CommitReader> {
  const address = { base: new URL(url), token: undefined, proxy: undefined, authorities: [] }
  return serverReader({ address, idleTimeoutMs: 10_000, signal: new AbortController().signal })
}

async function overServer(t: Test, session: SqlSession): Promise<Place> {
  const { url } = await startServer(t, { store: storeOver(session) })
  const reader = await readerOf(url)
  t.teardown(() => reader.close())
  return { reader, store: storing(session) }
}

async function overServe(t: Test): Promise<Place> {
  const serving = await startServe([], { cwd: t.testdir({}) })
  t.teardown(() => stop(serving))
  const reader = await readerOf(serving.url)
  t.teardown(() => reader.close())
  const store: Place['store'] = async (sha, day, records, ancestry) => {
    const { timestamp, message } = commitOf(sha, day)
    const headers = ancestry === undefined ? {} : { [ANCESTRY_HEADER]: formatAncestry(ancestry) }
    const body = envelope(records, { commit: commit(sha, { timestamp, message }) })
    const answer = await request(`${serving.url}/api/ingest`, {
      method: 'POST',
      body,
      headers: { ...sending, ...headers },
    })
    if (answer.status !== 200) throw new Error(answer.text)
  }
  return { reader, store }
}

async function older(session: SqlSession, version: number): Promise<SqlSession> {
  for (const statement of olderTables(version)) await session.execute(statement)
  return session
}

t.test('Postgres', async t => suite(t, overSession(await openPostgres(t))))
t.test('the embedded database', async t => suite(t, overSession(await openFolder(t))))
t.test('serve as a process', async t => suite(t, await overServe(t)))
t.test('a server over Postgres', async t => suite(t, await overServer(t, await openPostgres(t))))
for (const version of [1, 2]) {
  t.test(`Postgres of version ${version}`, async t =>
    suite(t, overSession(await older(await openPostgres(t), version)), version),
  )
  t.test(`a server over an embedded database of version ${version}`, async t =>
    suite(t, await overServer(t, await older(await openFolder(t), version)), version),
  )
}

async function suite(t: Test, { reader, store }: Place, version = 3): Promise<void> {
  const nobody = async (): Promise<undefined> => undefined
  await t.test('an empty place', async t => {
    t.strictSame(await reader.newest(3), [])
    t.equal(await reader.mainHead(), undefined)
    t.strictSame(await reader.stored([FIRST]), [])
    t.strictSame(await reader.history([FIRST, SECOND]), [])
    const hint = 'nothing is stored there; `vortex-ingest push …` stores some'
    await t.rejects(reader.find(FIRST, nobody), { code: 'commit_unknown', hint })
  })

  const other = { env_triple: 'aarch64-apple-darwin' }
  await store(FIRST, 1, [
    query({ commit_sha: FIRST, value_ns: token(MOST), dataset_variant: '' }),
    query({ commit_sha: FIRST, query_idx: -2, value_ns: 1, env_triple: 'x86_64-unknown-linux-gnu' }),
    time({ commit_sha: FIRST }),
    size({ commit_sha: FIRST, uncompressed_bytes: 9 }),
    access({ commit_sha: FIRST, open_mode: 'cached' }),
    ...(version < 3 ? [] : [access({ commit_sha: FIRST, open_mode: 'reopen', value_ns: 77 })]),
    search({ commit_sha: FIRST }),
  ])
  await store(SECOND, 2, [
    query({ commit_sha: SECOND, value_ns: 3, dataset_variant: '' }),
    query({ commit_sha: SECOND, query_idx: -2, value_ns: 2, all_runtimes_ns: [], ...other }),
  ])
  await store(THIRD, 3, [query({ commit_sha: THIRD, query_idx: -2, value_ns: 5, ...other })])

  await t.test('the newest commits come first, with their author and the first line of their message', async t => {
    const commits = await reader.newest(2)
    t.strictSame(
      commits.map(({ sha }) => sha),
      [THIRD, SECOND],
    )
    t.strictSame(
      { ...commits[1] },
      { sha: SECOND, timestamp: '2026-01-02T00:00:00Z', subject: 'Day 2', author: 'Zoë Żółć' },
    )
  })

  await t.test('those of many commits that are stored come in the given order', async t => {
    const others = Array.from({ length: 250 }, (_, index) => index.toString(16).padStart(40, '9'))
    const found = await reader.stored([SECOND, ...others, THIRD, FIRST, UNKNOWN])
    t.strictSame(
      found.map(({ sha }) => sha),
      [SECOND, THIRD, FIRST],
    )
  })

  await t.test('a commit is found by its id, by the start of it, and by a name that is looked up', async t => {
    const foundBy = async (name: string, sha?: string): Promise<string> =>
      (await reader.find(name, async () => sha)).sha
    t.equal(await foundBy(THIRD), THIRD)
    t.equal(await foundBy('ABCE'), SECOND)
    t.equal(await foundBy('main~1', FIRST), FIRST)
    // The name of a git reference may look like a commit id.
    t.equal(await foundBy('beef', FIRST), FIRST)
    await t.rejects(reader.find('abc', nobody), { code: 'commit_unknown', message: 'no commit is stored for "abc"' })
    await t.rejects(foundBy('main', UNKNOWN), {
      ...{ code: 'commit_unknown', message: `no commit is stored for "main", which is ${UNKNOWN}` },
      hint: 'the newest stored commits: 1111111 "Day 3", abce000 "Day 2", abcd000 "Day 1"',
    })
  })

  await t.test('the start of several commits is refused', async t => {
    const twin = `abcd${'1'.repeat(36)}`
    await store(twin, 4, [])
    const message = `abcd is ambiguous, several stored commits begin with it: ${twin}, ${FIRST}`
    await t.rejects(reader.find('abcd', nobody), { code: 'usage', message })
  })

  await t.test('rows of two commits come digit for digit with their runs', async t => {
    const { kinds } = await reader.rows(FIRST, SECOND)
    const queries = kinds.find(({ kind }) => kind.kind === 'query_measurement')!
    const { pairs, onlyBase, onlyHead } = pairUp(queries.kind, queries.rows)
    t.strictSame([pairs.length, onlyBase.length, onlyHead.length], [2, 0, 0])
    const most = pairs.find(({ base }) => base.value === BigInt(MOST))
    t.strictSame([most?.base.runtimes, most?.head.value], [[100n, 120n, 140n], 3n])
    const moved = pairs.find(({ base }) => base.platform !== null)
    t.strictSame([moved?.base.platform, moved?.head.platform], ['x86_64-unknown-linux-gnu', other.env_triple])
    t.strictSame(moved?.head.runtimes, [])
    const count = (kind: string): number => kinds.find(one => one.kind.kind === kind)?.rows.base.length ?? 0
    t.strictSame(['compression_time', 'compression_size', 'vector_search_run'].map(count), [1, 1, 1])
    t.equal(count('random_access_time'), version < 3 ? 1 : 2)
  })

  await t.test('a history has a value of every series for each commit, in the order of the commits', async t => {
    const series = await reader.history([THIRD, UNKNOWN, FIRST, SECOND])
    t.equal(series.length, version < 3 ? 6 : 7)
    const ofKind = (kind: string): readonly SeriesValues[] => series.filter(one => one.kind.kind === kind)
    const [high, low] = ['1', '-2'].map(index =>
      ofKind('query_measurement').find(({ dimensions }) => dimensions.includes(index)),
    )
    t.strictSame([...high!.values], [NaN, NaN, Number(MOST), 3])
    t.strictSame(high!.platforms, [null, null, null, null])
    t.strictSame([...low!.values], [5, NaN, 1, 2])
    t.strictSame(low!.platforms, [other.env_triple, null, 'x86_64-unknown-linux-gnu', other.env_triple])
    t.strictSame(low!.dimensions, ['tpch', null, '1', '-2', 'nvme', 'vortex', 'parquet'])
    t.strictSame(high!.dimensions[1], '', 'an empty text is not null')
    t.strictSame([...ofKind('compression_size')[0]!.values], [NaN, NaN, 4096, NaN])
    const modes = ofKind('random_access_time').map(({ kind, dimensions, values }) => [
      dimensions[seriesDimensions(kind).findIndex(({ name }) => name === 'open_mode')],
      values[2],
    ])
    t.strictSame(
      new Map(modes as [string, number][]),
      new Map(
        version < 3
          ? [['cached', 9]]
          : [
              ['cached', 9],
              ['reopen', 77],
            ],
      ),
    )
  })

  await t.test('a history of more commits than one request holds is complete', async t => {
    const others = Array.from({ length: 230 }, (_, index) => index.toString(16).padStart(40, '9'))
    const series = await reader.history([THIRD, ...others, SECOND])
    const low = series.find(({ dimensions }) => dimensions.includes('-2'))
    t.strictSame([low?.values[0], low?.values[231], low?.values.length], [5, 2, 232])
  })

  await t.test('first parents are followed as far as they are stored', async t => {
    const line = Array.from({ length: 6 }, (_, index) => `${index + 1}`.repeat(40))
    const [one, two, three, four, five, six] = line as [string, string, string, string, string, string]
    await store(one, 9, [], { parents: [two, FIRST], firstParents: [two, three, four], isComplete: false })
    // The commit between was pushed from a clone that knew only its parent.
    await store(three, 8, [], { parents: [four], firstParents: [four], isComplete: false })
    t.strictSame(await reader.firstParents(one, 10), { shas: [one, two, three, four], end: 'unknown' })
    await store(four, 7, [], { parents: [five], firstParents: [five, six], isComplete: true })
    t.strictSame(await reader.firstParents(one, 10), { shas: line, end: 'first' })
    t.strictSame(await reader.firstParents(one, 4), { shas: line.slice(0, 4), end: 'limit' })
    t.strictSame(await reader.firstParents(UNKNOWN, 4), { shas: [UNKNOWN], end: 'unknown' })
    await store(four, 7, [], { parents: [five], firstParents: [five], isComplete: false })
    t.strictSame(await reader.firstParents(four, 9), { shas: [four, five, six], end: 'first' }, 'more is not forgotten')
  })

  await t.test(
    'the main line is the longest history, and that of a pull request only when it is measured on a branch',
    async t => {
      const [newest, parent, pull, branch] = ['1', '4', 'f', 'e'].map(digit => digit.repeat(40)) as [
        string,
        string,
        string,
        string,
      ]
      await store(branch, 9, [], { parents: [parent], firstParents: [parent], isComplete: false })
      const ancestry = { parents: [newest], firstParents: [newest], isComplete: false }
      await store(pull, 9, [], { ...ancestry, isPullRequest: true })
      t.equal(await reader.mainHead(), newest)
      await store(pull, 9, [], { parents: [newest], firstParents: [], isComplete: false })
      t.equal(await reader.mainHead(), pull)
      await store(pull, 9, [], { ...ancestry, isPullRequest: true })
      t.equal(await reader.mainHead(), pull)
      t.strictSame((await reader.firstParents(pull, 2)).shas, [pull, newest], 'its parents are not forgotten')
    },
  )
}

t.test('a server that ignores the parameters of a lookup is reported as too old', async t => {
  const commits = [{ commit_sha: THIRD, timestamp: '2026-01-01T00:00:00.000000Z', message: 'Old', author_name: null }]
  const server = createServer((_, response) => response.end(JSON.stringify({ commits })))
  const reader = await readerOf(`http://127.0.0.1:${await listen(t, server)}`)
  t.teardown(() => reader.close())
  t.strictSame(await reader.newest(1), [{ sha: THIRD, timestamp: '2026-01-01T00:00:00Z', subject: 'Old', author: '' }])
  await t.rejects(reader.stored([FIRST]), { code: 'target_misconfigured', message: /older version of vortex-ingest/ })
  await t.rejects(reader.history([FIRST]), { code: 'target_misconfigured', message: /\/api\/series answered/ })
})
