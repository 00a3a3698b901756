/**
 * An owner that is stopped while its request or its transaction is under way. Another push with newer values takes over. Then
 * the delivery continues, before or after its owner does, and must not replace the newer values.
 */

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import pg from 'pg'
import t, { type Test } from 'tap'
import { untilDone, type Cli } from '../fixtures/cli.js'
import { startHttpServer } from '../fixtures/http-server.js'
import { listen } from '../fixtures/listen.js'
import { Random, SEED } from '../fixtures/random.js'
import { waitUntil } from '../fixtures/wait-until.js'
import { grow, makeCell, removeCell, startIn, type Cell } from './fixtures/cell.js'
import { PAUSED_REQUESTS } from './fixtures/extent.js'
import { LEASE_SECONDS, look, untilStopped } from './fixtures/pause.js'
import { leftovers } from './fixtures/state.js'
import { serverTarget, startDatabases, unlike, type CrashTarget } from './fixtures/targets.js'

/** A delivery that was begun and cannot end until it is released. */
type Held = {
  readonly target: CrashTarget
  readonly isBegun: () => boolean | Promise<boolean>
  /** Resolves when other deliveries wait for it. Undefined when none does. */
  readonly blocks?: () => Promise<void>
  readonly release: () => Promise<unknown>
}

t.setTimeout(900_000)
const { postgres, serve, pathB, sql } = await startDatabases(t)
const { url } = await serve(0)

/** The request has reached a proxy, which does not forward it yet. */
async function holdRequest(t: Test): Promise<Held> {
  const gate = newGate()
  const applied = newGate()
  const proxy = await startHttpServer(t, {
    answer:
      index =>
      async (response, { headers, body }) => {
        if (index === 0) await gate.passed
        const { 'content-length': _, connection: __, host: ___, ...sent } = headers as Record<string, string>
        const answer = await fetch(`${url}/api/ingest`, { method: 'POST', headers: sent, body: body! })
        if (index === 0) applied.open()
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
      },
  })
  const target = { ...serverTarget(url), args: () => ['--server', proxy.url] }
  const release = (): Promise<void> => (gate.open(), applied.passed)
  return { target, isBegun: () => proxy.asked[0]?.body !== undefined, release }
}

/** The owner has checked its lease and begun a transaction, and the database has not received it yet. */
async function holdTransaction(t: Test): Promise<Held> {
  const gate = newGate()
  let isBegun = false
  const address = new URL(pathB)
  const { port, hostname } = address
  const relay = createServer(client => {
    const upstream = connect(Number(port), hostname)
    upstream.on('data', chunk => client.write(chunk)).on('error', () => client.destroy())
    upstream.on('close', () => client.destroy())
    client.on('close', () => upstream.destroy()).on('error', () => upstream.destroy())
    forward(client, upstream, async chunk => {
      if (isBegun || !chunk.includes('BEGIN ISOLATION')) return
      isBegun = true
      await gate.passed
    }).catch(() => upstream.destroy())
  })
  address.port = String(await listen(t, relay))
  const target = { ...postgres, args: () => ['--postgres', address.href, '--insecure-local'] }
  return { target, isBegun: () => isBegun, release: async () => gate.open() }
}

async function forward(from: Socket, to: Socket, before: (chunk: Buffer) => Promise<void>): Promise<void> {
  for await (const chunk of from as AsyncIterable<Buffer>) {
    await before(chunk)
    if (!to.write(chunk)) await once(to, 'drain')
  }
}

/** The database has received the whole transaction, which waits for the lock of the commit. */
async function holdLock(t: Test, sha: string): Promise<Held> {
  const holder = new pg.Client(pathB)
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query('BEGIN')
  await holder.query('SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))', [sha])
  const waiting = async (): Promise<number> => {
    const [row] = await sql(`SELECT count(*)::int AS waiting FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`)
    return Number(row?.['waiting'])
  }
  const isBegun = async (): Promise<boolean> => (await waiting()) > 0
  const blocks = (): Promise<void> => waitUntil(async () => (await waiting()) > 1)
  return { target: postgres, isBegun, blocks, release: () => holder.query('ROLLBACK') }
}

function newGate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined
  const passed = new Promise<void>(resolve => (open = resolve))
  return { passed, open: () => open() }
}

const HOLDS = { request: holdRequest, transaction: holdTransaction, lock: holdLock }

type Episode = { readonly held: Held; readonly isReleasedFirst: boolean }

/** @returns the problems */
async function runEpisode(t: Test, cell: Cell, { held, isReleasedFirst }: Episode): Promise<readonly string[]> {
  const owner = startIn(cell, 'push', { leaseSeconds: LEASE_SECONDS })
  await untilDone(owner, held.isBegun)
  owner.child.kill('SIGSTOP')
  await untilStopped(owner)
  const expected = grow(cell)
  const successor = startIn(cell, 'push', { leaseSeconds: LEASE_SECONDS })
  await (held.blocks?.() ?? assertEnded(t, successor))
  const resume = async (): Promise<void> => void owner.child.kill('SIGCONT')
  for (const step of isReleasedFirst ? [held.release, resume] : [resume, held.release]) {
    await step()
    if (held.blocks === undefined) t.strictSame(await unlike(cell, expected, 'at any time'), [])
  }
  await assertEnded(t, successor)
  await assertEnded(t, owner)
  const found = await look(cell)
  const events = found.audit.map(({ event }) => event)
  return [
    ...(await unlike(cell, expected, 'at last')),
    ...leftovers(found, cell.sha),
    ...(events.includes('recovered') ? [] : ['the delivery was not recovered']),
  ]
}

async function assertEnded(t: Test, cli: Cli): Promise<void> {
  const { code, stderr } = await cli.result
  t.equal(code, 0, stderr)
}

const all = (['request', 'transaction', 'lock'] as const).flatMap(held =>
  [true, false].map(isReleasedFirst => ({ held, isReleasedFirst })),
)
for (const { held, isReleasedFirst } of new Random(SEED).shuffled(all).slice(0, PAUSED_REQUESTS)) {
  const order = isReleasedFirst ? 'before' : 'after'
  await t.test(`a held ${held} that continues ${order} its owner replaces nothing; TEST_SEED=${SEED}`, async t => {
    const name = `${held} ${order}`
    const cell = await makeCell(name, { name, targets: [] })
    t.teardown(() => removeCell(cell))
    const opened = await HOLDS[held](t, cell.sha)
    const ready = { ...cell, set: { name, targets: [opened.target] } }
    t.strictSame(await runEpisode(t, ready, { held: opened, isReleasedFirst }), [])
  })
}
