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

/** Processor time of all threads of the process so far. Clock ticks are hundredths of a second (proc(5) stat). */
function processorSeconds({ cli }: Serving): number {
  const [, fields = ''] = readFileSync(`/proc/${cli.pid}/stat`, 'utf8').split(') ')
  const [user, system] = fields.split(' ').slice(11, 13)
  return (Number(user) + Number(system)) / 100
}

/** Asks for the health of a server until `isDone`. @returns the most processor seconds that it spent before an answer */
async function slowestHealth(serving: Serving, isDone: () => boolean): Promise<{ seconds: number; answers: number }> {
  let [seconds, answers] = [0, 0]
  for (; !isDone(); answers++) {
    const before = processorSeconds(serving)
    const { ok } = await fetch(`${serving.url}/health`)
    if (!ok) throw new Error('the server is not healthy')
    seconds = Math.max(seconds, processorSeconds(serving) - before)
  }
  return { seconds, answers }
}

/** Members of a record with an escape, and a limit for the memory of the server that stores it; it took 165 and 391 MiB. */
const LARGE = {
  '20 MiB of numbers': {
    members: { all_runtimes_ns: `[${'1,'.repeat(10 * MIB)}1]`, env_triple: '"a\\nb"' },
    maxMiB: 500,
  },
  'a text of 60 MiB': { members: { env_triple: `"${'a'.repeat(60 * MIB)}\\nb"` }, maxMiB: 500 },
}

for (const [what, { members, maxMiB }] of Object.entries(LARGE))
  t.test(`a record with an escape and ${what} takes little memory, and others are answered meanwhile`, async t => {
    const { url, sql } = await createDatabase()
    const serving = await startServe(['--store', url], { cwd: t.testdir({}) })
    const body = Buffer.from(envelope([line('query_measurement', members)], { commit: commit(SHA) }))
    let isDone = false
    const sent = send(serving, body).finally(() => (isDone = true))
    const { seconds, answers } = await slowestHealth(serving, () => isDone)
    t.equal((await sent).status, 200)
    // Time on a busy machine says nothing, so the work between a question and its answer is measured. It is 0.6 s on an idle one.
    t.ok(seconds < 2, `${seconds} s of work before the slowest of ${answers} answers`)
    t.ok(peakMiB(serving) < maxMiB, `${peakMiB(serving)} MiB`)
    t.match(await sql('SELECT count(*)::int AS rows FROM query_measurements'), [{ rows: 1 }])
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
