/** Tests the memory of `serve` over Postgres as a process, and that it answers while it works on something large. */

import { readFileSync } from 'node:fs'
import t from 'tap'
import { line, SHA } from '../fixtures/records.js'
import { commit, envelope } from '../server/fixtures/envelopes.js'
import { head, rawClient } from '../server/fixtures/socket.js'
import { startMigratedPostgres } from './fixtures/database.js'
import { send, startServe, stop, TOKEN, type Serving } from './fixtures/serve.js'

const { createDatabase } = await startMigratedPostgres(t)
const MIB = 1024 * 1024

/** The largest memory that the process has had so far. */
function peakMiB({ cli }: Serving): number {
  const [, kilobytes = '0'] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${cli.pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) / 1024
}

t.test('a large record with an escape takes a few times its size, and others are answered meanwhile', async t => {
  const { url } = await createDatabase()
  const serving = await startServe(['--store', url], { cwd: t.testdir({}) })
  const all_runtimes_ns = `[${'1,'.repeat(10 * MIB)}1]`
  const record = line('query_measurement', { all_runtimes_ns, env_triple: '"a\\nb"' })
  const body = Buffer.from(envelope([record], { commit: commit(SHA) }))
  const sending = send(serving, body)
  let isDone = false
  const status = sending.then(answer => ((isDone = true), answer.status))
  let answers = 0
  while (!isDone) if ((await fetch(`${serving.url}/health?version`)).ok) answers++
  t.equal(await status, 200)
  t.ok(answers > 50, `${answers} answers`)
  t.ok(peakMiB(serving) < 500, `${peakMiB(serving)} MiB`)
  await stop(serving)
})

t.test('six readers of eight commits with messages of 60 MB take little memory', async t => {
  const { url, sql } = await createDatabase()
  await sql(`INSERT INTO commits SELECT 'sha ' || number, now(), repeat('x', 60000000), '', '', '', '', '', ''
    FROM generate_series(1, 8) AS number`)
  const serving = await startServe(['--store', url], { cwd: t.testdir({}) })
  const answers = await Promise.all(Array.from({ length: 6 }, () => fetch(`${serving.url}/api/commits?n=100`)))
  for (const answer of answers) t.ok((await answer.text()).length < 20_000)
  t.ok(peakMiB(serving) < 300, `${peakMiB(serving)} MiB`)
  await stop(serving)
})

t.test('800 stalled bodies of almost 1 MiB take little memory', async t => {
  const { url } = await createDatabase()
  const serving = await startServe(['--store', url], { cwd: t.testdir({}) })
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', 'content-length': MIB }
  const part = Buffer.alloc(MIB - 1, ' ')
  for (let sent = 0; sent < 800; sent++) {
    const client = await rawClient(t, serving)
    client.send(head('POST', '/api/ingest', headers))
    await new Promise<void>(resolve => client.socket.write(part, () => resolve()))
  }
  t.equal((await fetch(`${serving.url}/health`)).status, 200)
  t.ok(peakMiB(serving) < 500, `${peakMiB(serving)} MiB`)
  await stop(serving, 'SIGKILL')
})
