/** An envelope that waits in `serve` over Postgres, and whose client is gone before its transaction begins, is not applied. */

import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { runCli, startCli, untilDone } from '../fixtures/cli.js'
import { COMMIT, size, writeCommit, writeLines } from '../fixtures/records.js'
import { startTcpProxy } from '../fixtures/tcp-proxy.js'
import { waitUntil } from '../fixtures/wait-until.js'
import { commit, envelope, metaOf } from '../server/fixtures/envelopes.js'
import { holding, startMigratedPostgres, type Database } from './fixtures/database.js'
import { send, startServe, stop, TOKEN, type Serving } from './fixtures/serve.js'

const { server, createDatabase } = await startMigratedPostgres(t)
const env = { INGEST_BEARER_TOKEN: TOKEN }

/** Number of sessions with which `serve` writes. */
const WRITERS = 4

const shaOf = (name: string): string => createHash('sha1').update(name).digest('hex')

/**
 * Gives every writer of the server an envelope of another commit, whose lock a session of this test holds.
 * @returns releases the locks and resolves when these envelopes are stored
 */
async function occupyWriters(t: Test, database: Database, serving: Serving): Promise<() => Promise<void>> {
  const shas = Array.from({ length: WRITERS }, (_, index) => shaOf(`writer ${index}`))
  const locks = shas.map(sha => `SELECT pg_advisory_xact_lock(hashtextextended('${sha}', 0))`)
  const release = holding(database, locks.join('; '))
  const untilLocks = (state: string): Promise<void> =>
    waitUntil(async () => {
      const found = await server.sql(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND ${state}`)
      return found.length === WRITERS
    })
  await untilLocks('granted')
  const meta = metaOf(1)
  const sent = shas.map(sha => send(serving, envelope([size({ commit_sha: sha })], { meta, commit: commit(sha) })))
  await untilLocks('NOT granted')
  return async () => {
    await release()
    for (const answer of sent) t.equal((await answer).status, 200)
  }
}

/** The arguments of a push of some values, by data set, of the commit with this name. */
function pushOf(cwd: string, name: string, values: Readonly<Record<string, number>>): readonly string[] {
  const sha = shaOf(name)
  const lines = Object.entries(values).map(([dataset, value_bytes]) => size({ commit_sha: sha, dataset, value_bytes }))
  const file = writeLines(cwd, 'records.jsonl', lines)
  return ['push', file, '--benchmark-id', 'bench', '--commit', writeCommit(cwd, { ...COMMIT, sha })]
}

/** Ends the client of a push that waits in the server. @param bytes the number of bytes that the push sends */
type Abandon = (
  t: Test,
  serving: Serving,
  push: { readonly args: readonly string[]; readonly bytes: number },
) => unknown

const ABANDONED: Readonly<Record<string, Abandon>> = {
  'is killed': async (t, { port }, { args, bytes }) => {
    const proxy = await startTcpProxy(t, { port })
    const cli = startCli([...args, '--server', `http://127.0.0.1:${proxy.port}`], { env })
    await untilDone(cli, () => proxy.forwarded.up >= bytes)
    cli.child.kill('SIGKILL')
    t.equal((await cli.result).signal, 'SIGKILL')
  },
  'gives up after its --timeout': async (t, { url }, { args }) => {
    const { code, stderr } = await runCli([...args, '--server', url, '--timeout', '3', '--retries', '0'], { env })
    t.equal(code, 69, stderr)
  },
}

/** @returns the number of bytes that a push sends through the server while it is not busy */
async function countBytes(t: Test, { port }: Serving, args: readonly string[]): Promise<number> {
  const proxy = await startTcpProxy(t, { port })
  const { code, stderr } = await runCli([...args, '--server', `http://127.0.0.1:${proxy.port}`], { env })
  t.equal(code, 0, stderr)
  return proxy.forwarded.up
}

for (const [how, abandon] of Object.entries(ABANDONED))
  t.test(`an envelope whose client ${how} while it waits is not applied after a newer push`, async t => {
    const [cwd, database] = [t.testdir({}), await createDatabase()]
    const serving = await startServe(['--store', database.url, '--contract', '1'], { cwd })
    const bytes = await countBytes(t, serving, pushOf(cwd, 'another', { changed: 1, added: 1 }))
    const release = await occupyWriters(t, database, serving)
    await abandon(t, serving, { args: pushOf(cwd, 'abandoned', { changed: 1, added: 1 }), bytes })
    const newer = await runCli([...pushOf(cwd, 'abandoned', { changed: 2 }), '--postgres', database.url], { cwd })
    t.equal(newer.code, 0, newer.stderr)
    await release()
    const dropped = /^\{.*"error":"client_gone".*nothing was stored.*\}$/m
    await waitUntil(() => dropped.test(serving.printed().stderr))
    const stored = `SELECT dataset, value_bytes::int FROM compression_sizes WHERE commit_sha = '${shaOf('abandoned')}'`
    t.strictSame(await database.sql(stored), [{ dataset: 'changed', value_bytes: 2 }])
    await stop(serving)
  })
