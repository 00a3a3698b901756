/** The promises of every target kind, checked through its declaration with a real backend. */

import t, { type Test } from 'tap'
import { migrate } from '../../src/database/migrate.js'
import { connectPostgres } from '../../src/database/postgres/connect.js'
import { parseDsn } from '../../src/database/postgres/dsn.js'
import { examine, exitCodeFor } from '../../src/doctor/examine.js'
import { IngestError } from '../../src/errors.js'
import { embeddedStore } from '../../src/server/store/embedded.js'
import type { Delivery, Receipt } from '../../src/source/delivery.js'
import { ARCHIVE } from '../../src/targets/archive/kind.js'
import { EMBEDDED } from '../../src/targets/embedded/kind.js'
import type { OpenWorld, TargetKind } from '../../src/targets/kind.js'
import { TARGET_KINDS, type TargetFlags } from '../../src/targets/kinds.js'
import { POSTGRES } from '../../src/targets/postgres/kind.js'
import { SERVER } from '../../src/targets/server/kind.js'
import { databaseCopies, type CopyDatabase } from '../database/embedded/fixtures/folders.js'
import { deliveryOf, size } from '../fixtures/delivery.js'
import { query } from '../fixtures/records.js'
import { startPostgres, type PostgresServer } from '../fixtures/postgres.js'
import { startServer, TOKEN } from '../server/fixtures/server.js'

type Backends = { readonly postgres: PostgresServer; readonly copyDatabase: CopyDatabase }

type Case = {
  readonly kind: TargetKind
  /** The options of a new, empty target. */
  readonly start: (t: Test, backends: Backends) => Promise<TargetFlags>
  readonly isAppendOnly?: true
  readonly readsRows?: true
}

let databases = 0

const CASES: readonly Case[] = [
  {
    kind: SERVER,
    start: async (t, { copyDatabase }) => {
      const store = await embeddedStore(copyDatabase(t), { signal: new AbortController().signal })
      t.teardown(() => store.close())
      // The records of this test are of the first contract version.
      return { server: (await startServer(t, { store, version: 1 })).url, tokenEnv: 'TOKEN' }
    },
  },
  {
    kind: POSTGRES,
    start: async (_, { postgres }) => {
      const url = (await postgres.createDatabase(`conformance_${databases++}`)).replace('?sslmode=disable', '')
      const session = await connectPostgres(parseDsn(url, { insecureLocal: true }))
      await migrate(session).finally(() => session.close())
      return { postgres: url, insecureLocal: true }
    },
    readsRows: true,
  },
  { kind: EMBEDDED, start: async (t, { copyDatabase }) => ({ embedded: copyDatabase(t) }), readsRows: true },
  {
    kind: ARCHIVE,
    start: async t => {
      const folder = t.testdir({})
      return { archive: `${folder}/archive`, state: `${folder}/state` }
    },
    isAppendOnly: true,
  },
]

const RECORDS = [size('one'), size('two'), query()]

function world(signal = new AbortController().signal): OpenWorld {
  return { env: { TOKEN }, random: Math.random, signal, onWarning: () => undefined }
}

async function delivery(changes: Partial<Delivery> = {}): Promise<Delivery> {
  return { ...(await deliveryOf(RECORDS)), range: { since: 0, until: 3 }, ...changes }
}

async function write(kind: TargetKind, options: TargetFlags, what: Delivery): Promise<Receipt> {
  const opener = await kind.open(options, world())
  const sink = await opener.open(new AbortController().signal)
  return sink.write(what, () => undefined).finally(() => sink.close())
}

t.test('every target kind keeps its promises', async t => {
  t.strictSame(
    CASES.map(({ kind }) => kind),
    TARGET_KINDS,
    'each kind has a case',
  )
  const backends = { postgres: await startPostgres(t), copyDatabase: await databaseCopies() }
  for (const one of CASES) await t.test(one.kind.kind, async t => checkKind(t, one, await one.start(t, backends)))
})

async function checkKind(t: Test, { kind, isAppendOnly, readsRows }: Case, options: TargetFlags): Promise<void> {
  const opener = await kind.open(options, world())

  await t.test('the id is stable, and no secret is in it or in the description', async t => {
    t.equal(opener.id, await kind.targetId(options, world()))
    t.equal((await kind.open(options, world())).id, opener.id)
    const password = /:\/\/[^/:]*:([^@]+)@/.exec(JSON.stringify(options))?.[1]
    const described = [opener.id, opener.description, await kind.describe(options, world())].join('\n')
    for (const secret of [TOKEN, password]) if (secret !== undefined) t.notMatch(described, secret)
  })

  await t.test('opening and writing stop with the signal', async t => {
    const stop = new AbortController()
    stop.abort(new IngestError('interrupted', 'stopped'))
    await t.rejects(opener.open(stop.signal).then(sink => sink.write(never(), () => undefined)))
    const later = new AbortController()
    const sink = await opener.open(later.signal)
    later.abort(new IngestError('interrupted', 'stopped'))
    const what = await delivery()
    await t.rejects(sink.write(what, () => undefined).finally(() => sink.close()))
  })

  await t.test('a delivery whose input changed is refused, and stores nothing', async t => {
    const changed = new IngestError('input_changed', 'the input changed')
    const what = await delivery({ assertMayCommit: () => Promise.reject(changed) })
    await t.rejects(write(kind, options, what), { code: 'input_changed' })
  })

  await t.test('the receipt counts the records, and a repeated delivery inserts none', async t => {
    t.match(await write(kind, options, await delivery()), { records: 3, inserted: 3, updated: 0 })
    t.match(await write(kind, options, await delivery()), { records: 3, inserted: 0, updated: 3 })
  })

  await t.test('it reads either the rows or the lines of a delivery, and says which', async t => {
    t.equal(opener.readsRows, readsRows)
    const unused = readsRows === true ? { lines: never } : { rows: never }
    t.match(await write(kind, options, await delivery(unused)), { records: 3 })
  })

  t.equal(opener.isAppendOnly, isAppendOnly, 'only an archive adds and never changes')

  await t.test('the checks of doctor find no failure', async t => {
    const checks = await kind.checks(options, { ...world(), now: () => new Date() })
    const groups = await examine([{ name: kind.kind, ...checks }], new AbortController().signal)
    t.equal(exitCodeFor(groups), 0, JSON.stringify(groups))
  })

  await t.test('only a kind with tunables rolls its deliveries back for trials', async t => {
    if (kind.tunables.length === 0) return
    const rehearsing = await kind.open(options, { ...world(), rehearse: true })
    const sink = await rehearsing.open(new AbortController().signal)
    const fresh = { ...(await deliveryOf([size('rolled back')])), range: { since: 3, until: 4 } }
    const receipts = [await sink.write(fresh, () => undefined), await sink.write(fresh, () => undefined)]
    await sink.close()
    t.match(receipts, [{ inserted: 1 }, { inserted: 1 }])
  })
}

function never(): never {
  throw new Error('this is not used')
}
