/** A state in S3: what throw-away runners share. The real program against a real S3-compatible server. */

import t from 'tap'
import { appendFileSync } from 'node:fs'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { AWS_ENVIRONMENT, findMoto, NO_MOTO, startMoto, type Moto } from '../fixtures/moto.js'
import { startMigratedPostgres, type MigratedPostgres } from './fixtures/database.js'
import { jsonl, query, writeCommit } from '../fixtures/records.js'

const python = await findMoto()
if (python === undefined) t.pass('a state in S3', { skip: NO_MOTO })
else await suite(await startMoto(t, python), await startMigratedPostgres(t))

async function suite(moto: Moto, postgres: MigratedPostgres): Promise<void> {
  const newState = async (): Promise<string> =>
    `s3://${await moto.createBucket()}/ci/state?endpoint=${moto.endpoint}&path-style=true&region=us-east-1`
  const run = (cwd: string, ...args: readonly string[]): Promise<CliResult> =>
    runCli(args, { cwd, env: AWS_ENVIRONMENT, timeoutMs: 60_000 })
  const push = (cwd: string, state: string, url: string, ...more: readonly string[]): Promise<CliResult> =>
    run(cwd, 'push', 'f.jsonl', '--commit', writeCommit(cwd), '--state', state, '--postgres', url, ...more)

  await t.test('the second of two runners enqueues only new lines', async t => {
    const [state, { url, countRows }] = [await newState(), await postgres.createDatabase()]
    const cwd = t.testdir({ 'f.jsonl': jsonl([query({ query_idx: 1 }), query({ query_idx: 2 })]) })
    t.match(await push(cwd, state, url), { code: 0, stdout: /ingested 2 records/ })
    t.match(await push(cwd, state, url), { code: 0, stdout: /nothing new/ })
    appendFileSync(`${cwd}/f.jsonl`, jsonl([query({ query_idx: 3 })]))
    t.match(await push(cwd, state, url), { code: 0, stdout: /ingested 1 record/, stderr: /new from line 3/ })
    t.equal(await countRows(), 3)
    t.match(await run(cwd, 'status', '--state', state), { code: 0, stdout: /up to date: 3 records/ })
  })

  await t.test('a drain on another machine delivers the queued records of a target that was down', async t => {
    const [state, { url, countRows }] = [await newState(), await postgres.createDatabase()]
    const cwd = t.testdir({ 'f.jsonl': jsonl([query({ query_idx: 1 })]) })
    const dead = url.replace(`:${postgres.server.port}/`, ':1/')
    t.match(await push(cwd, state, dead, '--retry-deadline', '1'), { code: 75, stderr: /queued in the outbox/ })
    t.equal(await countRows(), 0)
    t.match(await run('/', 'drain', '--state', state, '--postgres', url), { code: 0, stdout: /1 record/ })
    t.equal(await countRows(), 1)
  })

  await t.test('eight runners at once, half of their records shared', async t => {
    const [state, { url, countRows }] = [await newState(), await postgres.createDatabase()]
    const runners = Array.from({ length: 8 }, (_, index) => `runner${index}`)
    const filesOf = (runner: string): Record<string, string> => ({
      'f.jsonl': jsonl([runner, 'shared'].map(dataset => query({ dataset }))),
    })
    const cwd = t.testdir(Object.fromEntries(runners.map(runner => [runner, filesOf(runner)])))
    const pushes = runners.map(runner => push(`${cwd}/${runner}`, state, url, '--benchmark-id', runner))
    for (const { code, stderr } of await Promise.all(pushes)) t.equal(code, 0, stderr)
    t.equal(await countRows(), 9)
    t.match(await run('.', 'status', '--state', state), { code: 0, stdout: /up to date: 16 records of 1 commit/ })
  })

  await t.test('a bucket that is not there is one clear line, and nothing is sent', async t => {
    const { url, countRows } = await postgres.createDatabase()
    const cwd = t.testdir({ 'f.jsonl': jsonl([query({ query_idx: 1 })]) })
    const state = `s3://no-such-bucket/x?endpoint=${moto.endpoint}&path-style=true&region=us-east-1`
    const { code, stderr } = await push(cwd, state, url)
    t.not(code, 0)
    t.match(stderr, /^error: .*no-such-bucket.*\nhint: /)
    t.equal(await countRows(), 0)
  })
}
