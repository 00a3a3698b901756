/** A push to a real Postgres: its round trips, and its durability whatever the database is set to. */

import { connect, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { runCli } from '../fixtures/cli.js'
import { listen } from '../fixtures/listen.js'
import { startPostgres } from '../fixtures/postgres.js'
import { jsonl, size } from '../fixtures/records.js'
import { push } from './fixtures/pushing.js'

const server = await startPostgres(t)
const template = await server.createDatabase('template')
const migrated = await runCli(['migrate', template, '--insecure-local'])
if (migrated.code !== 0) throw new Error(migrated.stderr)

async function createDatabase(name: string): Promise<{ url: string; sql: (text: string) => Promise<unknown> }> {
  await server.sql(`CREATE DATABASE ${name} TEMPLATE template`)
  return { url: server.url(name), sql: text => server.sql(text, name) }
}

/** Delay of each answer, so that the client has sent everything that does not depend on the answer before it arrives. */
const FAR_MS = 100

/** A proxy that counts round trips: how often the client sends something after it has got an answer, or at first. */
async function startCountingProxy(t: Test, port: number): Promise<{ port: number; roundTrips: () => number }> {
  let roundTrips = 0
  const proxy = createServer(client => {
    const there = connect({ port, host: '127.0.0.1' })
    let isAnswered = true
    let isWaiting = false
    const answer = (chunk: Buffer): void => {
      if (isWaiting) roundTrips++
      isWaiting = false
      isAnswered = true
      client.write(chunk)
    }
    client.on('data', chunk => {
      isWaiting ||= isAnswered
      isAnswered = false
      there.write(chunk)
    })
    there.on('data', chunk => setTimeout(answer, FAR_MS, chunk))
    client.on('close', () => there.destroy()).on('error', () => there.destroy())
    there.on('close', () => setTimeout(() => client.destroy(), 2 * FAR_MS)).on('error', () => client.destroy())
  })
  t.teardown(() => proxy.close())
  return { port: await listen(t, proxy), roundTrips: () => roundTrips }
}

t.test(
  'a push of 300 records takes six round trips, three of them to log in, also when all are stored already',
  async t => {
    const { url, sql } = await createDatabase('far_away')
    const cwd = t.testdir({ 'f.jsonl': jsonl(Array.from({ length: 300 }, (_, n) => size({ dataset: `d${n}` }))) })
    for (const time of ['first', 'second']) {
      const proxy = await startCountingProxy(t, Number(new URL(url).port))
      const address = new URL(url)
      address.port = String(proxy.port)
      const { code, stderr } = await push(cwd, ['f.jsonl', '--postgres', address.href, '--insecure-local'])
      t.equal(code, 0, stderr)
      t.equal(proxy.roundTrips(), 6, time)
      t.match(await sql('SELECT count(*)::int FROM compression_sizes'), [{ count: 300 }])
    }
  },
)

t.test('a push is durable although the role or the database turns synchronous_commit off', async t => {
  for (const small of ['1000', '1'])
    for (const alter of ['DATABASE', 'ROLE postgres IN DATABASE']) {
      const name = `durable_${alter[0]}_${small}`.toLowerCase()
      const { url, sql } = await createDatabase(name)
      await sql(`ALTER ${alter} ${name} SET synchronous_commit = off`)
      await sql(`
        CREATE TABLE seen (setting text);
        CREATE FUNCTION watches() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER watches AFTER INSERT ON commits DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION watches()`)
      const cwd = t.testdir({ 'f.jsonl': jsonl([size({ dataset: 'a' }), size({ dataset: 'b' })]) })
      const { code, stderr } = await push(cwd, [
        'f.jsonl',
        '--postgres',
        url,
        '--insecure-local',
        '--small-rows',
        small,
      ])
      t.equal(code, 0, stderr)
      t.strictSame(await sql('SELECT setting FROM seen'), [{ setting: 'on' }], `${alter} ${small}`)
    }
})
