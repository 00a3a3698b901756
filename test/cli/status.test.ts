/** `status`: what a state holds and who lacks what, whatever is wrong with it. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCli, startCli, untilDone } from '../fixtures/cli.js'
import { applied, startAnswering, startHttpServer } from '../fixtures/http-server.js'
import { push, pushArgs, TOKEN } from './fixtures/pushing.js'
import { jsonl, manyQueries } from '../fixtures/records.js'
import { schemaErrors } from './fixtures/schema.js'
import { DEAD, everythingIn, keyBelow, onState, STATE, statusOf, storageOf } from './fixtures/state.js'

t.test('a state that is not there yet is empty, and is not made', async t => {
  const cwd = t.testdir({})
  const { code, stdout } = await onState(cwd, ['status'])
  t.equal(code, 0)
  t.match(stdout, /^nothing: no push has used .*state yet$/m)
  t.equal(existsSync(join(cwd, 'state')), false)
})

t.test('status shows undelivered records and open deliveries, and changes nothing', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(3)) })
  const server = await startAnswering(t, applied)
  await push(cwd, ['f.jsonl', '--server', server.url, ...STATE])
  t.match(
    (await onState(cwd, ['status'])).stdout,
    /^up to date: 3 records of 1 commit \(\d kB\) in .*\n  http:\S+: has everything$/m,
  )
  await push(cwd, ['f.jsonl', '--server', DEAD, '--retries', '0', ...STATE])
  const before = everythingIn(join(cwd, 'state'))
  const { code, stdout } = await onState(cwd, ['status'])
  t.equal(code, 0)
  t.match(stdout, /^behind: 3 records of 1 commit/)
  t.match(stdout, /^  http:\/\/127\.0\.0\.1:1: lacks 3 records \(\d kB\) of 1 commit, the oldest \d+ s old$/m)
  t.match(
    stdout,
    /^  interrupted: numbers 1 to 3 of 0123456 to http:\/\/127\.0\.0\.1:1, begun 20\S+; the next push or drain delivers it again$/m,
  )
  const json = await onState(cwd, ['status', '--format', 'json'])
  t.strictSame(schemaErrors('status-report', json.stdout), [])
  t.equal(everythingIn(join(cwd, 'state')), before)
})

t.test('a running delivery differs from an interrupted one', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(3)) })
  const server = await startHttpServer(t, { answer: () => () => undefined })
  const pushing = startCli(pushArgs(cwd, 'f.jsonl', '--server', server.url, ...STATE), {
    cwd,
    env: { INGEST_BEARER_TOKEN: TOKEN },
  })
  await untilDone(pushing, () => server.asked.length > 0)
  t.match((await onState(cwd, ['status'])).stdout, /^  under way: numbers 1 to 3 of 0123456 to http\S+, begun 20\S+$/m)
  pushing.child.kill('SIGKILL')
  await pushing.result
  t.match((await onState(cwd, ['status'])).stdout, /^  interrupted: numbers 1 to 3 of 0123456 /m)
})

t.test('damage is named and everything else is shown, in words and as JSON', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(3)) })
  const server = await startAnswering(t, applied)
  await push(cwd, ['f.jsonl', '--server', server.url, ...STATE])
  await push(cwd, ['f.jsonl', '--server', DEAD, '--retries', '0', ...STATE])
  const storage = await storageOf(cwd)
  const intent = await keyBelow(storage, 'intents/')
  await storage.put(intent, Buffer.from('{'))
  t.equal((await onState(cwd, ['targets', 'add', 'site', 'server', server.url])).code, 0)
  t.equal((await onState(cwd, ['targets', 'set', 'site', '--best-effort'])).code, 0)
  await storage.put('audit/x', Buffer.from('{"version":3}'))
  const { code, stdout, stderr } = await onState(cwd, ['status'])
  t.equal(code, 78)
  t.match(stdout, /^damaged: 3 records/)
  t.match(stderr, new RegExp(`^warning: ${intent} in .* is damaged`, 'm'))
  t.match(stderr, /^warning: audit\/x in .* has version 3/m)
  t.match(stdout, /best-effort http:\S+: site was required before$/m, 'the other audit row')
  const report = await onState(cwd, ['status', '--format', 'json'])
  t.strictSame(schemaErrors('status-report', report.stdout), [])
  t.equal((await statusOf(cwd)).targets.length, 2)
})

t.test('it needs a state that is one', async t => {
  const cwd = t.testdir({ file: '' })
  const none = await runCli(['status'], { cwd })
  t.equal(none.code, 2)
  t.match(none.stderr, /missing state/)
  const file = await runCli(['status', '--state', 'file'], { cwd })
  t.equal(file.code, 69)
  t.match(file.stderr, /^error: .*file/m)
})

t.test('how long a silent process counts as alive is a setting, checked', async t => {
  const cwd = t.testdir({})
  for (const [value, code] of [
    ['0.5', 0],
    ['', 0],
    ['0', 78],
    ['-1', 78],
    ['3601', 78],
    ['soon', 78],
  ] as const)
    t.equal((await onState(cwd, ['status'], { env: { VORTEX_INGEST_STATE_LEASE: value } })).code, code, value)
})
