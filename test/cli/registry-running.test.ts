/** A running process applies changes of registered targets, made by another process, at its next delivery. */

import t, { type Test } from 'tap'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCli, startCli, untilDone, type CliResult } from '../fixtures/cli.js'
import { applied, startAnswering, type TestServer } from '../fixtures/http-server.js'
import { countEmbeddedRows } from './fixtures/database.js'
import { pushArgs, TOKEN } from './fixtures/pushing.js'
import { COMMIT, query, SHA } from '../fixtures/records.js'

const env = { VORTEX_INGEST_STATE: 'state', INGEST_BEARER_TOKEN: TOKEN }
const run = (cwd: string, ...args: readonly string[]): Promise<CliResult> => runCli(args, { cwd, env })
const DOWN = 'http://127.0.0.1:1'
const COMMITS = 3

type Waiting = { readonly cwd: string; readonly site: TestServer; readonly letGo: () => void }

/** Three commits wait for a target that answers nothing until it is told to. */
async function start(t: Test): Promise<Waiting> {
  const cwd = t.testdir()
  let letGo = (): void => undefined
  const told = new Promise<void>(resolve => (letGo = resolve))
  const site = await startAnswering(t, async (response, asked) => {
    await told
    applied(response, asked)
  })
  await run(cwd, 'targets', 'add', 'site', 'server', DOWN)
  for (let number = 1; number <= COMMITS; number++) await keep(cwd, `${number}`.repeat(40))
  await run(cwd, 'targets', 'rm', 'site')
  t.equal((await run(cwd, 'targets', 'add', 'site', 'server', site.url)).code, 0)
  return { cwd, site, letGo }
}

async function keep(cwd: string, sha: string): Promise<void> {
  writeFileSync(join(cwd, `${sha}.json`), JSON.stringify({ ...COMMIT, sha, url: COMMIT.url.replace(SHA, sha) }))
  writeFileSync(join(cwd, `${sha}.jsonl`), `${query({ commit_sha: sha })}\n`)
  const args = pushArgs(cwd, `${sha}.jsonl`, '--retries', '0')
  args[args.indexOf('--commit') + 1] = `${sha}.json`
  const { code, stderr } = await run(cwd, ...args)
  t.equal(code, 75, stderr)
}

t.test('a target that is removed while a drain delivers to it is given no more', async t => {
  const { cwd, site, letGo } = await start(t)
  const drain = startCli(['drain'], { cwd, env })
  await untilDone(drain, () => site.asked.length === 1)
  t.equal((await run(cwd, 'targets', 'rm', 'site')).code, 0)
  letGo()
  const { code, stderr } = await drain.result
  t.equal(code, 0, stderr)
  t.match(stderr, /was removed meanwhile/)
  t.equal(site.asked.length, 1)
})

t.test(
  'a target that is added while a drain is at work is given everything, though it cannot reach another',
  async t => {
    const { cwd, site, letGo } = await start(t)
    const drain = startCli(['drain', '--format', 'json'], { cwd, env })
    await untilDone(drain, () => site.asked.length === 1)
    t.equal((await run(cwd, 'targets', 'add', 'late', 'embedded', 'db')).code, 0)
    t.equal(
      (
        await run(
          cwd,
          'targets',
          'add',
          'closed',
          'server',
          'https://x.example.com',
          '--secret-env',
          'NO_SUCH',
          '--best-effort',
        )
      ).code,
      0,
    )
    letGo()
    const { code, stdout, stderr } = await drain.result
    t.equal(code, 0, stderr)
    t.match(JSON.parse(stdout), { targets: [{ records: 3 }, {}, {}] })
    t.equal(await countEmbeddedRows(join(cwd, 'db')), COMMITS)
  },
)

t.test('a target that becomes best effort while a drain fails at it is none of the failures', async t => {
  const { cwd, site, letGo } = await start(t)
  t.equal((await run(cwd, 'targets', 'add', 'dead', 'server', DOWN)).code, 0)
  const drain = startCli(['drain', '--retries', '0'], { cwd, env })
  await untilDone(drain, () => site.asked.length === 1)
  t.equal((await run(cwd, 'targets', 'set', 'dead', '--best-effort')).code, 0)
  letGo()
  const { code, stderr } = await drain.result
  t.equal(code, 0, stderr)
  t.match(stderr, /best effort/)
})

t.test(
  'two processes that add and remove the same target and bucket at once leave a registry that holds together',
  async t => {
    const cwd = t.testdir({})
    const codes = new Map<string, number[]>()
    const both = async (...args: readonly string[]): Promise<void> => {
      const results = await Promise.all([run(cwd, ...args), run(cwd, ...args)])
      for (const { code, stderr } of results) if (code !== 0 && code !== 78) t.fail(stderr)
      codes.set(args.slice(0, 2).join(' '), results.map(({ code }) => code ?? -1).sort())
    }
    await both('buckets', 'add', 'cold', '--root', 'cold')
    await both('targets', 'add', 'keep', 'archive', '--bucket', 'cold')
    const [removed, bucket] = await Promise.all([run(cwd, 'targets', 'rm', 'keep'), run(cwd, 'buckets', 'rm', 'cold')])
    t.equal(removed.code, 0, removed.stderr)
    t.ok([0, 78].includes(bucket.code ?? -1), 'in use, or free already')
    if (bucket.code === 78) await both('buckets', 'rm', 'cold')
    for (const [command, found] of codes) t.same(found, [0, 78], command)
    t.match(await run(cwd, 'targets', 'ls'), { stdout: /no targets are registered/ })
    t.notMatch((await run(cwd, 'buckets', 'ls')).stdout, /cold/)
  },
)

for (const bucket of ['primary', 'rescue'])
  t.test(`an archive in ${bucket} lies in the state, and is delivered to once`, async t => {
    const cwd = t.testdir({})
    t.equal((await run(cwd, 'targets', 'add', 'keep', 'archive', '--bucket', bucket)).code, 0)
    writeFileSync(join(cwd, 'f.jsonl'), `${query()}\n`)
    const push = pushArgs(cwd, 'f.jsonl')
    t.match(await run(cwd, ...push), { code: 0, stdout: /ingested 1 record/ })
    t.match(await run(cwd, ...push), { code: 0, stdout: /nothing new/ })
    t.match(await run(cwd, 'targets', 'ls'), { code: 0, stdout: /keep +archive +\S+ +yes +yes +nothing/ })
    t.ok(existsSync(join(cwd, 'state', 'buckets')), 'among the objects of the state')
    t.match(await run(cwd, 'targets', 'add', 'again', 'archive', '--bucket', bucket), { code: 78 })
    t.equal((await run(cwd, 'targets', 'test', 'keep')).code, 0)
  })
