/** Tests that every target returns exactly the strings, integers and doubles that were delivered to it. */

import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import type { Commit } from '../../src/contract/commit.js'
import { CONTRACT, type Kind, SCHEMA_VERSION } from '../../src/contract/kinds.js'
import { serverRows } from '../../src/delivery/server-rows.js'
import { databaseRows, type StoredRows } from '../../src/delivery/stored-rows.js'
import { verify } from '../../src/delivery/verify.js'
import { embeddedStore } from '../../src/server/store/embedded.js'
import { postgresStore } from '../../src/server/store/postgres.js'
import type { Store } from '../../src/server/store/store.js'
import { archiveSink } from '../../src/targets/archive/sink.js'
import { openEmbedded } from '../../src/database/embedded/open-embedded.js'
import { embeddedSink } from '../../src/targets/embedded/sink.js'
import { httpSink } from '../../src/targets/server/sink.js'
import { migrate } from '../../src/database/migrate.js'
import { connectPostgres } from '../../src/database/postgres/connect.js'
import { parseDsn, type PostgresAddress } from '../../src/database/postgres/dsn.js'
import { postgresSink } from '../../src/targets/postgres/sink.js'
import type { Delivery } from '../../src/source/delivery.js'
import type { SinkOpener } from '../../src/targets/sink.js'
import type { SqlSession } from '../../src/database/sql.js'
import { COMMIT, deliveryOf } from '../fixtures/delivery.js'
import { startPostgres, type PostgresServer } from '../fixtures/postgres.js'
import { Random, SEED } from '../fixtures/random.js'
import { startServer, TOKEN } from '../server/fixtures/server.js'
import { databaseCopies } from '../database/embedded/fixtures/folders.js'
import { checkSame } from './fixtures/check-same.js'
import { longRecord, oddRecords, uniqueField, type OddRecord, type Values } from './fixtures/odd-records.js'
import { oddText } from './fixtures/odd-values.js'
import {
  commitInDatabase,
  commitOverHttp,
  historiesOverHttp,
  rowsInDatabase,
  rowsOverHttp,
  seriesOf,
  withoutTime,
} from './fixtures/read-back.js'

const copyDatabase = await databaseCopies()
const random = new Random()
const { signal } = new AbortController()

/** The records of one commit. `smallRows` decides whether a database gets them through COPY or in one round trip. */
type Batch = { readonly commit: Commit; readonly records: readonly OddRecord[]; readonly smallRows: number }

const BATCHES = [oddBatch('a', { count: 150, smallRows: -1 }), oddBatch('b', { count: 40, smallRows: 1_000 })]

t.test(`every target returns what was delivered to it (TEST_SEED=${SEED} repeats it)`, async t => {
  const server = await startPostgres(t)

  await t.test('the embedded database', async t => {
    const folder = copyDatabase(t)
    await deliver(embeddedSink(folder))
    const session = await openEmbedded(folder, { create: false })
    await checkDatabase(t, session).finally(() => session.close())
  })

  await t.test('Postgres', async t => {
    const address = await newDatabase(server, 'direct')
    await deliver(postgresSink(address, { random: Math.random, rolePolicy: 'any' }))
    const session = await connectPostgres(address)
    await checkDatabase(t, session).finally(() => session.close())
  })

  await t.test('a server over the embedded database', async t =>
    checkServer(t, await embeddedStore(copyDatabase(t), { signal })),
  )

  await t.test('a server over Postgres', async t => {
    const address = await newDatabase(server, 'behind_server')
    const options = {
      version: SCHEMA_VERSION,
      signal,
      random: Math.random,
      rolePolicy: 'any',
      onWarning: () => undefined,
    } as const
    await checkServer(t, await postgresStore(address, options))
  })

  await t.test('an archive in a folder', async t => {
    const folder = t.testdir({})
    await deliver(archiveSink({ kind: 'local', folder }))
    for (const { commit, records } of BATCHES)
      for (const { kind, table } of CONTRACT.kinds) {
        const expected = records.filter(record => record.kind.kind === kind).map(({ line }) => `${line}\n`)
        const found = await archivedIn(join(folder, table, commit.sha))
        t.ok(found.equals(Buffer.from(expected.join(''))), `${table} byte for byte`)
      }
  })
})

function oddBatch(digit: string, { count, smallRows }: { readonly count: number; readonly smallRows: number }): Batch {
  const sha = digit.repeat(40)
  const text = (): string => oddText(random, 30)
  const people = { author_name: text(), author_email: text(), committer_name: text(), committer_email: text() }
  const commit = { ...COMMIT, ...people, sha, message: `\ufeff${text()}`, tree_sha: text(), url: text() }
  return { commit, smallRows, records: [...oddRecords(random, sha, count), longRecord(random, sha, 100_000)] }
}

function linesOf({ records }: Batch): readonly string[] {
  return records.map(({ line }) => line)
}

async function deliver(opener: SinkOpener): Promise<void> {
  const sink = await opener.open(signal)
  try {
    for (const batch of BATCHES) {
      const range = { since: 0, until: batch.records.length }
      const delivery: Delivery = { ...(await deliveryOf(linesOf(batch), batch.commit)), range }
      await sink.write(delivery, () => undefined, { 'small-rows': batch.smallRows })
    }
  } finally {
    await sink.close()
  }
}

/** The decompressed content of the only object in a folder. */
async function archivedIn(folder: string): Promise<Buffer> {
  const [name, ...more] = await readdir(folder)
  if (name === undefined || more.length > 0) throw new Error(`${folder} does not hold one object`)
  return gunzipSync(await readFile(join(folder, name)))
}

async function newDatabase(server: PostgresServer, name: string): Promise<PostgresAddress> {
  const url = (await server.createDatabase(name)).replace('?sslmode=disable', '')
  const address = parseDsn(url, { insecureLocal: true })
  const session = await connectPostgres(address)
  await migrate(session).finally(() => session.close())
  return address
}

async function checkDatabase(t: Test, session: SqlSession): Promise<void> {
  await checkVerified(t, databaseRows(session))
  for (const { commit, records } of BATCHES) {
    checkSame(t, [await commitInDatabase(session, commit.sha)], [withoutTime(commit)], 'the commit as delivered')
    for (const kind of CONTRACT.kinds) checkRows(t, kind, records, await rowsInDatabase(session, kind, commit.sha))
  }
}

async function checkServer(t: Test, store: Store): Promise<void> {
  const { url } = await startServer(t, { store })
  t.teardown(() => store.close())
  const address = { base: new URL(url), token: TOKEN, proxy: undefined, authorities: [] }
  const tools = { random: Math.random, sleep, now: () => performance.now() }
  const policy = { attempts: 1, baseDelayMs: 1, maxDelayMs: 1 }
  await deliver(
    httpSink({
      address,
      maxEnvelopeBytes: 1024 * 1024,
      idleTimeoutMs: 60_000,
      gzipLevel: 0,
      whenGzipRefused: 'fail',
      policy,
      tools,
    }),
  )
  const rows = await serverRows({ address, idleTimeoutMs: 60_000, signal })
  await checkVerified(t, rows).finally(() => rows.close())
  for (const { commit, records } of BATCHES) {
    checkSame(t, [await commitOverHttp(url, commit.sha)], [withoutTime(commit)], 'the commit as delivered')
    for (const kind of CONTRACT.kinds) checkRows(t, kind, records, await rowsOverHttp(url, kind, commit.sha))
  }
  await checkHistories(t, url)
}

/** Checks that `verify` finds every record with the values of its line, and no other record. */
async function checkVerified(t: Test, stored: StoredRows): Promise<void> {
  for (const [index, batch] of BATCHES.entries()) {
    const path = join(t.testdir({}), `${index}.jsonl`)
    await writeFile(path, linesOf(batch).join('\n'))
    const differences: unknown[] = []
    const onDifference = (difference: unknown): void => void differences.push(difference)
    const onBad = (bad: unknown): void => void differences.push(bad)
    const target = { openRows: async () => ({ rows: stored, description: 'the target', close: async () => undefined }) }
    const { compared } = await verify([path], { target, extra: true, onRejection: onBad, onDifference })
    t.equal(compared, batch.records.length, 'verify compares every record')
    checkSame(t, differences, [], 'verify finds no difference')
  }
}

function checkRows(t: Test, kind: Kind, records: readonly OddRecord[], found: readonly Values[]): void {
  const expected = records.filter(record => record.kind === kind).map(({ values }) => values)
  checkSame(t, sorted(kind, found), sorted(kind, expected), `${kind.table} as delivered`)
}

function sorted(kind: Kind, rows: readonly Values[]): readonly Values[] {
  const name = uniqueField(kind)
  return [...rows].sort((a, b) => (a[name]! < b[name]! ? -1 : 1))
}

/** Checks that the histories contain each record once, with its dimensions and at its commit. */
async function checkHistories(t: Test, url: string): Promise<void> {
  const histories = await historiesOverHttp(url)
  const shown = histories.flatMap(history =>
    seriesOf(history).flatMap(({ columns, values }) =>
      (values as readonly (string | null)[]).flatMap((value, index) =>
        value === null ? [] : { sha: history.commits[index]!.sha, kind: history.kind, columns, value },
      ),
    ),
  )
  const find = ({ kind, values }: OddRecord): { readonly value: string } | undefined =>
    shown.find(
      point =>
        point.kind === kind.kind &&
        point.sha === values['commit_sha'] &&
        Object.entries(point.columns).every(([name, value]) => values[name] === value),
    )
  const records = BATCHES.flatMap(batch => batch.records)
  checkSame(
    t,
    records.map(record => ({ ...record, value: find(record)?.value })),
    records.map(record => ({ ...record, value: record.values['value_ns'] ?? record.values['value_bytes'] })),
    'each record is in its history',
  )
  t.equal(shown.length, records.length, 'the histories show nothing else')
  checkSame(
    t,
    histories[0]!.commits.map(({ sha, message }) => ({ sha, message })),
    BATCHES.map(({ commit: { sha, message } }) => ({ sha, message: message.split('\n')[0]!.slice(0, 200) })),
    'a history shows the first line of each message',
  )
}
