/** A running push applies changes of registered targets, made by another process, at its next delivery. */

import t, { type Test } from 'tap'
import { join } from 'node:path'
import { runCli, startCli, untilDone, type Cli, type CliResult } from '../fixtures/cli.js'
import { applied, recordsOf, startAnswering, type TestServer } from '../fixtures/http-server.js'
import { countEmbeddedRows } from './fixtures/database.js'
import type { PushReport } from '../../src/reports/delivery.js'
import { pushArgs, TOKEN, writeFile } from './fixtures/pushing.js'
import { query } from '../fixtures/records.js'
import { schemaErrors } from './fixtures/schema.js'
import { DEAD } from './fixtures/state.js'

const env = { VORTEX_INGEST_STATE: 'state', INGEST_BEARER_TOKEN: TOKEN, OTHER_TOKEN: 'the-other' }
const run = (cwd: string, ...args: readonly string[]): Promise<CliResult> => runCli(args, { cwd, env })
const line = (query_idx: number): string => `${query({ query_idx })}\n`

async function operator(t: Test, cwd: string, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await run(cwd, 'targets', ...args)
  t.equal(code, 0, stderr)
}

/** More than a pipe holds: when it has gone, somebody reads. */
const BLANK_LINES = '\n'.repeat(1_000_000)

/** A push whose input has not come to its end; it knew its targets before it began to read. */
async function waiting(cwd: string, ...flags: readonly string[]): Promise<Cli> {
  const cli = startCli(pushArgs(cwd, '-', '--format', 'json', ...flags), { cwd, env, stdin: null })
  let isRead = false
  cli.child.stdin?.write(line(1) + BLANK_LINES, () => (isRead = true))
  await untilDone(cli, () => isRead)
  return cli
}

type Ended = CliResult & { readonly report: PushReport }

/** Its input comes to an end. */
async function ended(t: Test, cli: Cli): Promise<Ended> {
  cli.child.stdin?.end(line(2))
  return reported(t, await cli.result)
}

function reported(t: Test, result: CliResult): Ended {
  t.strictSame(schemaErrors('push-report', result.stdout), [], result.stderr)
  return { ...result, report: JSON.parse(result.stdout) as PushReport }
}

type Held = { readonly site: TestServer; readonly letGo: () => void }

/** A server that answers nothing until it is told to. */
async function held(t: Test): Promise<Held> {
  let letGo = (): void => undefined
  const told = new Promise<void>(resolve => (letGo = resolve))
  const site = await startAnswering(t, async (response, asked) => {
    await told
    applied(response, asked)
  })
  return { site, letGo }
}

t.test('a target that is added while a push waits for its input is given all of it', async t => {
  const cwd = t.testdir({})
  const [site, late] = [await startAnswering(t, applied), await startAnswering(t, applied)]
  await operator(t, cwd, 'add', 'site', 'server', site.url)
  const push = await waiting(cwd)
  await operator(t, cwd, 'add', 'late', 'server', late.url)
  const { code, report, stderr } = await ended(t, push)
  t.equal(code, 0, stderr)
  t.match(report.targets, [
    { name: 'site', status: 'delivered', records: 2 },
    { name: 'late', status: 'delivered', required: true, records: 2 },
  ])
  t.equal(late.asked.flatMap(recordsOf).length, 2)
})

t.test('a target that is removed while a push waits for its input is given nothing, and is named', async t => {
  const cwd = t.testdir({})
  const [site, gone] = [await startAnswering(t, applied), await startAnswering(t, applied)]
  await operator(t, cwd, 'add', 'site', 'server', site.url)
  await operator(t, cwd, 'add', 'gone', 'server', gone.url)
  const push = await waiting(cwd)
  await operator(t, cwd, 'rm', 'gone')
  const { code, report, stderr } = await ended(t, push)
  t.equal(code, 0, stderr)
  t.match(report.targets, [
    { name: 'site', status: 'delivered', required: true },
    { name: 'gone', status: 'removed', required: false, records: 0 },
  ])
  t.match(stderr, new RegExp(`warning: ${gone.url} was removed meanwhile, so nothing more is delivered to it`))
  t.equal(gone.asked.length, 0)
  t.match((await run(cwd, 'status')).stdout, /^up to date/, 'nothing waits for it')
})

t.test('a target that is registered again before a push ends is given all of it', async t => {
  const cwd = t.testdir({})
  const { site, letGo } = await held(t)
  const back = await startAnswering(t, applied)
  await operator(t, cwd, 'add', 'site', 'server', site.url)
  await operator(t, cwd, 'add', 'back', 'server', back.url)
  const push = await waiting(cwd)
  await operator(t, cwd, 'rm', 'back')
  push.child.stdin?.end(line(2))
  await untilDone(push, () => site.asked.length === 1)
  await operator(t, cwd, 'add', 'back', 'server', back.url)
  letGo()
  const { code, report, stderr } = reported(t, await push.result)
  t.equal(code, 0, stderr)
  t.match(
    report.targets.filter(({ name }) => name === 'back'),
    [{ status: 'delivered', required: true, records: 2 }],
  )
  t.notMatch(stderr, /was removed meanwhile/)
  t.equal(back.asked.flatMap(recordsOf).length, 2)
  t.match((await run(cwd, 'status')).stdout, /^up to date: 2 records .*(has everything.*){2}/s)
})

t.test('a target that was removed is not the one that --require any asks for', async t => {
  const cwd = t.testdir({})
  const gone = await startAnswering(t, applied)
  await operator(t, cwd, 'add', 'dead', 'server', DEAD)
  await operator(t, cwd, 'add', 'gone', 'server', gone.url)
  const push = await waiting(cwd, '--require', 'any', '--retries', '0')
  await operator(t, cwd, 'rm', 'gone')
  const { code, report, stderr } = await ended(t, push)
  t.equal(code, 75, stderr)
  t.match(report.targets, [{ status: 'queued' }, { status: 'removed' }])
})

t.test('a push whose targets are all removed is not green, and a drain delivers once there is one', async t => {
  const cwd = t.testdir({})
  const site = await startAnswering(t, applied)
  await operator(t, cwd, 'add', 'site', 'server', site.url, '--best-effort')
  const push = await waiting(cwd)
  await operator(t, cwd, 'rm', 'site')
  const { code, report, stderr } = await ended(t, push)
  t.equal(code, 75)
  t.match(report.targets, [
    { status: 'removed', failed: { code: 'queued', message: /no target is registered any more/ } },
  ])
  t.match(stderr, /^hint: register a target/m)
  t.equal(site.asked.length, 0)
  await operator(t, cwd, 'add', 'site', 'server', site.url)
  t.match(await run(cwd, 'drain'), { code: 0, stdout: /drained 2 records/ })
})

t.test('a target of another address under the same name is delivered to there', async t => {
  const cwd = t.testdir({})
  const [wrong, right] = [await startAnswering(t, applied), await startAnswering(t, applied)]
  await operator(t, cwd, 'add', 'site', 'server', wrong.url)
  const push = await waiting(cwd, '--target', 'site')
  await operator(t, cwd, 'add', 'other', 'server', DEAD)
  await operator(t, cwd, 'rm', 'site')
  await operator(t, cwd, 'add', 'site', 'server', right.url)
  const { code, report, stderr } = await ended(t, push)
  t.equal(code, 0, stderr)
  t.match(report.targets, [
    { target: right.url, status: 'delivered', records: 2 },
    { target: wrong.url, status: 'removed' },
  ])
  t.equal(report.targets.length, 2, 'what --target does not name is left alone')
  t.equal(wrong.asked.length, 0)
})

/** A push to a dead target, added with these flags, and to one that has the request and answers it in the end. */
async function pushing(t: Test, ...flags: string[]): Promise<{ cwd: string; finished: () => Promise<Ended> }> {
  const cwd = t.testdir({ 'f.jsonl': line(1) })
  const { site, letGo } = await held(t)
  await operator(t, cwd, 'add', 'dead', 'server', DEAD, ...flags)
  await operator(t, cwd, 'add', 'site', 'server', site.url)
  const push = startCli(pushArgs(cwd, 'f.jsonl', '--retries', '0', '--format', 'json'), { cwd, env })
  await untilDone(push, () => site.asked.length === 1)
  const finished = async (): Promise<Ended> => {
    letGo()
    return reported(t, await push.result)
  }
  return { cwd, finished }
}

t.test("the registry at the end of a push decides which targets' failures fail it", async t => {
  for (const [before, after, expected] of [
    ['--required', '--best-effort', 0],
    ['--best-effort', '--required', 75],
  ] as const) {
    const { cwd, finished } = await pushing(t, ...(before === '--required' ? [] : [before]))
    await operator(t, cwd, 'set', 'dead', after)
    const { code, report } = await finished()
    t.equal(code, expected, after)
    t.match(
      report.targets.find(({ name }) => name === 'dead'),
      { status: 'queued', required: after === '--required' },
    )
  }
})

t.test('a dead target that is removed is no failure of the push any more', async t => {
  const { cwd, finished } = await pushing(t)
  await operator(t, cwd, 'rm', 'dead')
  const { code, report, stderr } = await finished()
  t.equal(code, 0, stderr)
  t.match(report.targets, [{ status: 'removed', required: false, failed: null }, { status: 'delivered' }])
})

t.test('records queued for a target that is registered again are waited for', async t => {
  const { cwd, finished } = await pushing(t)
  await operator(t, cwd, 'rm', 'dead')
  await operator(t, cwd, 'add', 'dead', 'server', DEAD)
  const { code, report, stderr } = await finished()
  t.equal(code, 75, stderr)
  t.match(report.targets, [{ status: 'queued', required: true }, { status: 'delivered' }])
  t.match((await run(cwd, 'status')).stdout, new RegExp(`^behind: .*${DEAD}: lacks 1 record`, 's'))
})

t.test('undelivered records of a target that is registered again are not pruned', async t => {
  const cwd = t.testdir({ 'f.jsonl': line(1), 'g.jsonl': line(2) })
  const site = await startAnswering(t, applied)
  await operator(t, cwd, 'add', 'dead', 'server', DEAD)
  await operator(t, cwd, 'add', 'site', 'server', site.url)
  // The next command gives up a delivery whose process has ended.
  const failed = await runCli(pushArgs(cwd, 'f.jsonl', '--retries', '0'), { cwd, env, ownProcess: true })
  t.equal(failed.code, 75)
  await operator(t, cwd, 'rm', 'dead')
  await operator(t, cwd, 'add', 'dead', 'server', DEAD, '--secret-env', 'OTHER_TOKEN')
  const other = await run(cwd, ...pushArgs(cwd, 'g.jsonl', '--target', 'site'))
  t.match(
    other,
    { code: 0, stderr: new RegExp(`a delivery to ${DEAD}.* was discarded: its target was removed`) },
    'nothing but the registry speaks for it',
  )
  t.match(await run(cwd, 'state', 'prune'), { code: 0, stdout: /^removed 0 records/ })
  t.match(await run(cwd, 'drain', '--target', 'dead', '--retries', '0'), {
    code: 75,
    stdout: /2 records still queued/,
  })
})

t.test('between the deliveries of one commit', async t => {
  /** Two benchmarks wait in the outbox, the push brings a third: three deliveries, the first of which is held. */
  const started = async (t: Test): Promise<Held & { readonly cwd: string; readonly push: Cli }> => {
    const cwd = t.testdir({ 'one.jsonl': line(1), 'two.jsonl': line(2), 'three.jsonl': line(3) })
    const { site, letGo } = await held(t)
    await operator(t, cwd, 'add', 'site', 'server', DEAD)
    for (const name of ['one', 'two'])
      t.equal((await run(cwd, ...pushArgs(cwd, `${name}.jsonl`, '--retries', '0', '--benchmark-id', name))).code, 75)
    await operator(t, cwd, 'rm', 'site')
    await operator(t, cwd, 'add', 'site', 'server', site.url)
    const push = startCli(pushArgs(cwd, 'three.jsonl', '--format', 'json'), { cwd, env })
    await untilDone(push, () => site.asked.length === 1)
    return { cwd, site, letGo, push }
  }

  await t.test('one that is removed is given no more, and one that is added is given all of it', async t => {
    const { cwd, site, letGo, push } = await started(t)
    await operator(t, cwd, 'rm', 'site')
    await operator(t, cwd, 'add', 'late', 'embedded', 'db')
    letGo()
    const { code, report, stderr } = reported(t, await push.result)
    t.equal(code, 0, stderr)
    t.equal(site.asked.length, 1)
    t.match(report.targets, [
      { name: 'site', status: 'removed', records: 1, required: false },
      { name: 'late', status: 'delivered', records: 3, required: true },
    ])
    t.equal(await countEmbeddedRows(join(cwd, 'db')), 3)
  })

  await t.test('a target that is registered again at the same place is opened with its new options', async t => {
    const { cwd, site, letGo, push } = await started(t)
    await operator(t, cwd, 'rm', 'site')
    await operator(t, cwd, 'add', 'renamed', 'server', site.url, '--secret-env', 'OTHER_TOKEN', '--best-effort')
    letGo()
    const { code, report, stderr } = reported(t, await push.result)
    t.equal(code, 0, stderr)
    t.match(report.targets, [{ name: 'renamed', status: 'delivered', records: 3, required: false }])
    t.strictSame(
      site.asked.map(({ headers }) => headers.authorization),
      [`Bearer ${TOKEN}`, 'Bearer the-other', 'Bearer the-other'],
    )
    t.match((await run(cwd, 'status')).stdout, /^up to date: 3 records/)
  })
})

t.test('a registry that cannot be read after the deliveries does not hide their results', async t => {
  const cwd = t.testdir({ 'f.jsonl': line(1) })
  const { site, letGo } = await held(t)
  await operator(t, cwd, 'add', 'site', 'server', site.url)
  const push = startCli(pushArgs(cwd, 'f.jsonl', '--format', 'json'), { cwd, env })
  await untilDone(push, () => site.asked.length === 1)
  const { openLocalStorage } = await import('../../src/storage/local/local.js')
  const storage = await openLocalStorage(join(cwd, 'state'))
  await storage.put('registry', Buffer.from('{'))
  letGo()
  const { code, report, stderr } = reported(t, await push.result)
  t.equal(code, 0, stderr)
  t.match(report.targets, [{ status: 'delivered', records: 1, required: true }])
  t.match(
    stderr,
    /warning: the registered targets could not be read again, so what was read before decides: registry in .* damaged/,
  )
  writeFile(cwd, 'g.jsonl', line(2))
  t.equal((await run(cwd, ...pushArgs(cwd, 'g.jsonl'))).code, 78, 'the next is told at once')
})
