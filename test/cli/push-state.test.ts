/** `push --state`: only what is new goes out, what a target misses is kept, and nothing is skipped without a word. */

import { appendFileSync, chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCli } from '../fixtures/cli.js'
import { applied, json, recordsOf, startAnswering, startHttpServer } from '../fixtures/http-server.js'
import { startMigratedPostgres } from './fixtures/database.js'
import { push, pushArgs, pushReported, TOKEN, writeFile } from './fixtures/pushing.js'
import { COMMIT, jsonl, manyQueries, query, SHA, writeLines } from '../fixtures/records.js'
import { schemaErrors } from './fixtures/schema.js'
import { knownTargets } from '../../src/state/target-record.js'
import { readWatermark, writeWatermark } from '../../src/state/watermark.js'
import { owner } from '../state/fixtures/state.js'
import { DEAD, everythingIn, onState, STATE, statusOf, storageOf } from './fixtures/state.js'
import { ordinaryAccount } from './fixtures/account.js'

const { server: postgres, createDatabase } = await startMigratedPostgres(t)

const lines = (from: number, to: number): readonly string[] => manyQueries(to).slice(from)

t.test('a file that grows: only its new lines go out, and then nothing at all', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(lines(0, 3)) })
  const server = await startAnswering(t, applied)
  const args = ['f.jsonl', '--server', server.url, ...STATE]
  const first = await pushReported(cwd, args)
  t.equal(first.code, 0, first.stderr)
  t.strictSame(schemaErrors('push-report', first.stdout), [])
  t.match(first.target, { status: 'delivered', records: 3 })
  appendFileSync(join(cwd, 'f.jsonl'), jsonl(lines(3, 5)))
  const second = await push(cwd, args)
  t.match(second.stdout, /^ingested 2 records of 0123456 into http/)
  t.match(second.stderr, /^f\.jsonl: 3 lines enqueued before, new from line 4$/m)
  t.strictSame(
    server.asked.map(asked => recordsOf(asked).length),
    [3, 2],
  )
  const third = await pushReported(cwd, args)
  t.equal(third.code, 0)
  t.match(third.target, { status: 'nothing new', records: 0 })
  t.strictSame(schemaErrors('push-report', third.stdout), [])
  t.match((await push(cwd, args)).stdout, /^nothing new for http/)
  t.equal(server.asked.length, 2)
})

t.test('nothing new makes no connection: a target that is gone is not missed', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  const { url, name, countRows } = await createDatabase()
  t.equal((await push(cwd, ['f.jsonl', '--postgres', url, ...STATE])).code, 0)
  t.equal(await countRows(), 1)
  await postgres.sql(`DROP DATABASE ${name} WITH (FORCE)`)
  const again = await push(cwd, ['f.jsonl', '--postgres', url, ...STATE])
  t.equal(again.code, 0, again.stderr)
  t.match(again.stdout, /^nothing new for postgres:/)
})

t.test(
  'the records of an unreachable target stay queued, and the exit code depends on whether it is required',
  async t => {
    const cases: readonly (readonly [readonly string[], number])[] = [
      [[], 75],
      [['--allow-failure'], 0],
      [['--require', 'postgres'], 0],
      [['--require', 'all'], 75],
      [['--require', 'any'], 0],
    ]
    for (const [args, wanted] of cases) {
      const cwd = t.testdir({ 'f.jsonl': jsonl(lines(0, 4)) })
      const { url, countRows } = await createDatabase()
      const both = ['f.jsonl', '--server', DEAD, '--postgres', url, '--retries', '0', ...STATE, ...args]
      const { code, report, stdout, stderr } = await pushReported(cwd, both)
      t.equal(code, wanted, `${args.join(' ')}: ${stderr}`)
      t.equal(report.exit_code, code)
      t.strictSame(schemaErrors('push-report', stdout), [])
      t.match(report.targets, [
        { name: 'server', status: 'queued', failed: { code: 'queued' } },
        { name: 'postgres', status: 'delivered' },
      ])
      t.equal(await countRows(), 4)
      t.match(stderr, /4 records for http:\/\/127\.0\.0\.1:1 stay queued in the outbox/)
      t.match((await statusOf(cwd)).targets.find(({ target }) => target === DEAD)?.lag, { records: 4 })
    }
  },
)

t.test('a permanent failure of one target decides the exit code while another is only queued', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  const { url } = await createDatabase()
  const server = await startAnswering(t, json(401, {}))
  const { port } = new URL(url)
  const dead = url.replace(`:${port}/`, ':1/')
  const args = ['f.jsonl', '--server', server.url, '--postgres', dead, '--require', 'all', '--retries', '0', ...STATE]
  const { code, report } = await pushReported(cwd, [...args, '--retry-deadline', '1'])
  t.equal(code, 77)
  t.match(
    report.targets.map(({ failed }) => failed?.code),
    ['auth_failed', 'queued'],
  )
})

t.test('targets with different watermarks each get their undelivered records', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(lines(0, 2)) })
  const [a, b] = [await startAnswering(t, applied), await startAnswering(t, json(503, {}), json(503, {}), applied)]
  const to = (url: string): Promise<unknown> => push(cwd, ['f.jsonl', '--server', url, '--retries', '0', ...STATE])
  await to(a.url)
  await to(b.url)
  appendFileSync(join(cwd, 'f.jsonl'), jsonl(lines(2, 3)))
  await to(b.url)
  const behind = await statusOf(cwd)
  t.strictSame(behind.targets.map(({ lag }) => lag.records).sort(), [1, 3])
  await to(a.url)
  await to(b.url)
  t.strictSame(
    a.asked.map(asked => recordsOf(asked).length),
    [2, 1],
  )
  t.equal(b.asked.slice(2).flatMap(asked => recordsOf(asked)).length, 3)
  t.strictSame(
    (await statusOf(cwd)).targets.map(({ lag }) => lag.records),
    [0, 0],
  )
})

t.test('a rejection in the new part is reported by its line in the file, and nothing is enqueued', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(lines(0, 3)) })
  const server = await startAnswering(t, applied)
  const args = ['f.jsonl', '--server', server.url, ...STATE]
  await push(cwd, args)
  appendFileSync(join(cwd, 'f.jsonl'), `${lines(3, 4)[0]}\n{"kind":"seventh"}\n`)
  const { code, stderr } = await push(cwd, args)
  t.equal(code, 65)
  t.match(stderr, /^error: f\.jsonl:5 .*seventh/m)
  t.equal(server.asked.length, 1)
  t.equal((await statusOf(cwd)).records, 3)
})

t.test(
  'a record that the server refuses is told by its own file and line, also of later files and later parts',
  async t => {
    const cwd = t.testdir({ 'f.jsonl': jsonl(lines(0, 2)), 'g.jsonl': jsonl(['', ...lines(2, 4)]) })
    const refuse = (record_index: number): ReturnType<typeof json> =>
      json(400, { error: 'record', record_index, message: 'odd' })
    const server = await startAnswering(t, refuse(3), applied, refuse(0))
    const both = ['f.jsonl', 'g.jsonl', '--server', server.url, ...STATE]
    const first = await push(cwd, both)
    t.equal(first.code, 65)
    t.match(first.stderr, /error: g\.jsonl:3 \(byte \d+\): the server refuses the record: odd/)
    t.equal((await push(cwd, both)).code, 0)
    appendFileSync(join(cwd, 'g.jsonl'), `\n${lines(4, 5)[0]}\n`)
    const third = await push(cwd, both)
    t.match(third.stderr, /error: g\.jsonl:5: the server refuses the record: odd/)
  },
)

t.test('a record that no envelope holds is refused before it is taken', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  const server = await startAnswering(t, applied)
  const args = ['f.jsonl', '--server', server.url, '--max-envelope-bytes', '900', ...STATE]
  await push(cwd, args)
  appendFileSync(join(cwd, 'f.jsonl'), jsonl([query({ engine: 'x'.repeat(900) })]))
  const { code, stderr } = await push(cwd, args)
  t.equal(code, 65)
  t.match(stderr, /f\.jsonl:2 \(byte \d+\): the record's \d+ bytes do not fit into an envelope of 900/)
  t.equal((await statusOf(cwd)).records, 1)
})

t.test(
  'what is larger than an envelope is split, and after a failure in the middle all of it is sent again',
  async t => {
    const cwd = t.testdir({})
    writeLines(cwd, 'f.jsonl', manyQueries(20))
    const server = await startAnswering(t, applied, json(503, {}), applied)
    const args = ['f.jsonl', '--server', server.url, '--max-envelope-bytes', '2000', '--retries', '0', ...STATE]
    const first = await pushReported(cwd, args)
    t.equal(first.code, 75)
    t.match(first.target, { status: 'queued', chunks: 1 })
    const second = await pushReported(cwd, args)
    t.equal(second.code, 0, second.stderr)
    t.equal(second.target.records, 20)
    t.match(second.stderr, /recovered: numbers 1 to 20 of 0123456 to http:.*: delivered again/)
  },
)

t.test('a truncated or rewritten file is enqueued from its start, with a notice', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(lines(0, 3)) })
  const server = await startAnswering(t, applied)
  const args = ['f.jsonl', '--server', server.url, ...STATE]
  await push(cwd, args)
  writeFileSync(join(cwd, 'f.jsonl'), jsonl(lines(1, 3)))
  const { code, stdout, stderr } = await push(cwd, args)
  t.equal(code, 0)
  t.match(stdout, /^ingested 2 records/)
  t.match(stderr, /^warning: f\.jsonl has changed at its beginning since it was enqueued .* read from its start$/m)
})

t.test('--full-refresh takes and sends all of it again, and needs a state', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(lines(0, 3)) })
  const server = await startAnswering(t, applied)
  const args = ['f.jsonl', '--server', server.url, '--full-refresh']
  for (let i = 0; i < 2; i++) t.equal((await push(cwd, [...args, ...STATE])).code, 0)
  t.equal(server.asked.slice(1).flatMap(recordsOf).length, 6)
  const { code, stderr } = await push(cwd, args)
  t.equal(code, 2)
  t.match(stderr, /--full-refresh requires --state/)
})

t.test('an empty file delivers its commit once', async t => {
  const cwd = t.testdir({ 'f.jsonl': '' })
  const server = await startAnswering(t, applied)
  const args = ['f.jsonl', '--server', server.url, '--commit-sha', SHA, ...STATE]
  for (let i = 0; i < 2; i++) t.equal((await push(cwd, args)).code, 0)
  t.equal(server.asked.length, 1)
  appendFileSync(join(cwd, 'f.jsonl'), jsonl([query()]))
  t.equal((await push(cwd, args)).code, 0)
  t.equal(recordsOf(server.asked[1]!).length, 1)
})

t.test('standard input: the same again is nothing new, something else is no cut-off file', async t => {
  const cwd = t.testdir({})
  const server = await startAnswering(t, applied)
  const from = (stdin: string): ReturnType<typeof push> => push(cwd, ['-', '--server', server.url, ...STATE], { stdin })
  t.equal((await from(jsonl(lines(0, 2)))).code, 0)
  t.match((await from(jsonl(lines(0, 2)))).stdout, /^nothing new/)
  const other = await from(jsonl(lines(2, 3)))
  t.match(other.stdout, /^ingested 1 record /)
  t.equal(other.stderr, '')
})

t.test('several commits are separate partitions of one state', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  const other = 'f'.repeat(40)
  writeFile(cwd, 'g.jsonl', jsonl([query({ commit_sha: other })]))
  await push(cwd, ['f.jsonl', '--server', DEAD, '--retries', '0', ...STATE])
  writeFile(
    cwd,
    'other.json',
    JSON.stringify({ ...COMMIT, sha: other, url: `https://github.com/owner/repo/commit/${other}` }),
  )
  await push(cwd, ['g.jsonl', '--server', DEAD, '--retries', '0', '--commit', 'other.json', ...STATE])
  t.match(await statusOf(cwd), { commits: 2, records: 2 })
})

t.test('--commit-sha means the same with and without state', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  const server = await startAnswering(t, applied)
  for (const sha of [SHA.toUpperCase(), 'main', 'f'.repeat(40)]) {
    const args = ['f.jsonl', '--server', server.url, '--commit-sha', sha]
    const [without, withState] = [await push(cwd, args), await push(cwd, [...args, ...STATE])]
    t.equal(withState.code, without.code, sha)
    t.equal(withState.stderr, without.stderr, sha)
    t.not(without.code, 0)
  }
  t.equal(server.asked.length, 0)
})

t.test('two or fourteen concurrent pushes store every record once, without a failure', async t => {
  const server = await startHttpServer(t, { answer: () => applied })
  for (const [count, files] of [
    [2, 1],
    [14, 14],
  ] as const) {
    const cwd = t.testdir(
      Object.fromEntries(Array.from({ length: files }, (_, i) => [`${i}.jsonl`, jsonl(lines(i * 3, i * 3 + 3))])),
    )
    const before = server.asked.length
    const pushed = pushArgs(cwd, '--server', server.url, ...STATE)
    const pushes = Array.from({ length: count }, (_, i) =>
      runCli([...pushed, `${i % files}.jsonl`], { cwd, env: { INGEST_BEARER_TOKEN: TOKEN }, timeoutMs: 120_000 }),
    )
    for (const { code, stderr } of await Promise.all(pushes)) t.equal(code, 0, stderr)
    t.equal(server.asked.slice(before).flatMap(asked => recordsOf(asked)).length, files * 3)
    t.match(await statusOf(cwd), { records: files * 3, intents: [], targets: [{ lag: { records: 0 } }] })
  }
})

t.test(
  'the lease of a process that died with its clock an hour ahead holds nobody up for longer than it lasts',
  async t => {
    const cwd = t.testdir({ 'f.jsonl': jsonl(lines(0, 2)) })
    const server = await startAnswering(t, applied)
    t.equal((await push(cwd, ['f.jsonl', '--server', server.url, ...STATE])).code, 0)
    const storage = await storageOf(cwd)
    const [known] = await knownTargets(storage)
    const place = { target: known!.id, partition: SHA }
    const found = await readWatermark(storage, place)
    const lease = { owner: owner('elsewhere'), expiresAt: Date.now() + 3_600_000, durationMs: 1_000 }
    await writeWatermark(storage, place, { ...found, watermark: { ...found.watermark, lease } })
    appendFileSync(join(cwd, 'f.jsonl'), jsonl(lines(2, 3)))
    const { code, stderr } = await push(cwd, ['f.jsonl', '--server', server.url, ...STATE, '--retry-deadline', '0.1'])
    t.equal(code, 0, stderr)
    t.equal(server.asked.length, 2)
  },
)

t.test('--dry-run writes nothing, not even the folder', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  const server = await startAnswering(t, applied)
  const args = ['f.jsonl', '--server', server.url, ...STATE]
  t.match(
    (await push(cwd, [...args, '--dry-run'])).stdout,
    /^dry run: 1 record of 0123456 would be sent; nothing was$/m,
  )
  t.equal(existsSync(join(cwd, 'state')), false)
  await push(cwd, args)
  const before = everythingIn(join(cwd, 'state'))
  t.match((await push(cwd, [...args, '--dry-run'])).stdout, /^dry run: nothing new in the input; nothing was sent$/m)
  t.equal(everythingIn(join(cwd, 'state')), before)
  t.equal(server.asked.length, 1)
})

t.test('neither the state nor any output about it contains a secret', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  const secret = 'hush-hush-4712'
  const server = await startAnswering(t, json(503, { error: TOKEN }))
  const dsn = `postgres://bench_ingest:${secret}@127.0.0.1:1/bench?sslmode=verify-full`
  const args = ['f.jsonl', '--server', server.url, '--postgres', dsn, '--retries', '0']
  const pushed = await push(cwd, [...args, ...STATE, '--retry-deadline', '1'])
  t.equal(pushed.code, 75)
  const status = await onState(cwd, ['status'])
  const all = everythingIn(join(cwd, 'state')) + pushed.stdout + pushed.stderr + status.stdout + status.stderr
  t.ok(all.includes('postgres'))
  for (const hidden of [secret, TOKEN]) t.notOk(all.includes(hidden), hidden)
})

t.test('memory: and VORTEX_INGEST_STATE', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  const server = await startAnswering(t, applied)
  const args = ['f.jsonl', '--server', server.url]
  for (let i = 0; i < 2; i++) t.match((await push(cwd, [...args, '--state', 'memory:'])).stdout, /^ingested 1 record /)
  const env = { VORTEX_INGEST_STATE: 'elsewhere' }
  t.match((await push(cwd, args, { env })).stdout, /^ingested/)
  t.match((await push(cwd, args, { env })).stdout, /^nothing new/)
  t.ok(existsSync(join(cwd, 'elsewhere')))
  const { code, stderr } = await push(cwd, [...args, '--state', 's4://bucket/x'])
  t.equal(code, 2)
  t.match(stderr, /unknown kind of storage s4:/)
})

t.test('a folder that cannot be written is said before anything is sent', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]), file: '' })
  const server = await startAnswering(t, applied)
  const asFile = await push(cwd, ['f.jsonl', '--server', server.url, '--state', 'file'])
  t.equal(asFile.code, 69)
  t.match(asFile.stderr, /^error: .*file/m)
  const ordinary = await ordinaryAccount(t)
  if (ordinary === undefined) return
  mkdirSync(join(cwd, 'state'))
  chmodSync(join(cwd, 'state'), 0o555)
  const readOnly = await push(cwd, ['f.jsonl', '--server', server.url, ...STATE], ordinary)
  t.equal(readOnly.code, 77, readOnly.stderr)
  t.match(readOnly.stderr, /^error: .*state/m)
  t.equal(server.asked.length, 0)
})
