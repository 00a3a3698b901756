/** `drain` and `recover`: what a state kept reaches its target, and what was cut off is seen through. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { applied, json, recordsOf, startAnswering, startHttpServer } from '../fixtures/http-server.js'
import { runCli, startCli, untilDone } from '../fixtures/cli.js'
import { push, pushArgs, TOKEN, writeFile } from './fixtures/pushing.js'
import { COMMIT, jsonl, manyQueries, query } from '../fixtures/records.js'
import { schemaErrors } from './fixtures/schema.js'
import { DEAD, onState, STATE, statusOf } from './fixtures/state.js'

const OTHER = 'f'.repeat(40)

/** Two commits with 3 and 1 records, pushed to a server that is down but has an address that comes alive later. */
async function kept(cwd: string, url: string): Promise<void> {
  writeFile(cwd, 'f.jsonl', jsonl(manyQueries(3)))
  writeFile(cwd, 'g.jsonl', jsonl([query({ commit_sha: OTHER })]))
  const to = ['--server', url, '--retries', '0', ...STATE]
  t.equal((await push(cwd, ['f.jsonl', ...to])).code, 75)
  const other = { ...COMMIT, sha: OTHER, url: `https://github.com/owner/repo/commit/${OTHER}` }
  writeFile(cwd, 'other.json', JSON.stringify(other))
  t.equal((await push(cwd, ['g.jsonl', ...to, '--commit', 'other.json'])).code, 75)
}

t.test('drain delivers the queued records, reports them, and a second drain has nothing to do', async t => {
  const cwd = t.testdir({})
  const server = await startAnswering(t, json(503, {}), json(503, {}), applied)
  await kept(cwd, server.url)
  const first = await onState(cwd, ['drain', '--server', server.url])
  t.equal(first.code, 0, first.stderr)
  t.match(first.stdout, /^drained 4 records into http:.* \(4 inserted, 0 updated\) in /)
  t.match(first.stderr, /^recovered: numbers 1 to 3 of 0123456 to http:.*: delivered again$/m)
  t.match(await statusOf(cwd), {
    intents: [],
    targets: [{ lag: { records: 0 } }],
    audit: [{ event: 'recovered' }],
  })
  const asked = server.asked.length
  const second = await onState(cwd, ['drain', '--server', server.url])
  t.match(second.stdout, /^nothing to drain for http:\S+ in /)
  t.equal(server.asked.length, asked)
})

t.test('records that cannot be delivered stay queued, with exit code 75 and their number', async t => {
  const cwd = t.testdir({})
  await kept(cwd, DEAD)
  const human = await onState(cwd, ['drain', '--server', DEAD, '--retries', '0'])
  t.equal(human.code, 75)
  t.match(human.stdout, /^failed: nothing went to http:\/\/127\.0\.0\.1:1, 4 records still queued in /)
  t.match(human.stderr, /^error: .*ECONNREFUSED/m)
  const { code, stdout } = await onState(cwd, ['drain', '--server', DEAD, '--retries', '0', '--format', 'json'])
  const report = JSON.parse(stdout) as DrainReport
  t.strictSame(schemaErrors('drain-report', stdout), [])
  t.match(report, { exit_code: code, targets: [{ status: 'queued', outbox: { queued: 4 } }] })
})

t.test('stopping at a limit exits 75 while records remain queued', async t => {
  const cwd = t.testdir({})
  const server = await startHttpServer(t, { answer: () => applied })
  // No intent is there when the first push is a dry one to that server: it only becomes known.
  await kept(cwd, DEAD)
  await push(cwd, ['f.jsonl', '--server', server.url, ...STATE])
  const { code, stdout, stderr } = await onState(cwd, ['drain', '--server', server.url, '--max-duration', '0.000001'])
  t.equal(code, 75)
  t.match(stdout + stderr, /1 record still queued/)
  t.match(stderr, /hint: run the command again to deliver them/)
  t.equal((await onState(cwd, ['drain', '--server', server.url, '--max-rows', '1'])).code, 0)
  t.equal(server.asked.flatMap(asked => recordsOf(asked)).length, 4)
})

for (const args of [['drain', '--server', DEAD], ['drain'], ['recover', '--server', DEAD], ['recover', '--dry-run']])
  t.test(`${args.join(' ')} of a place that no push has used makes nothing and is not green`, async t => {
    const cwd = t.testdir({})
    const { code, stdout, stderr } = await onState(cwd, args)
    t.strictSame([code, stdout], [66, ''])
    t.match(stderr, /^error: no push has used .*state yet\nhint: .*--state/)
    t.equal(existsSync(join(cwd, 'state')), false)
    const json = await onState(cwd, [...args, '--format', 'json'])
    t.match(JSON.parse(json.stdout), { exit_code: 66, error: { code: 'no_input' } })
  })

t.test('a target must be named, and a state', async t => {
  const cwd = t.testdir({})
  await kept(cwd, DEAD)
  for (const command of ['drain', 'recover']) {
    const none = await onState(cwd, [command])
    t.equal(none.code, 2)
    t.match(none.stderr, /no target is given and none is registered\nhint: /)
    const stateless = await runCli([command, '--server', DEAD], { cwd })
    t.equal(stateless.code, 2)
    t.match(stateless.stderr, /missing state\nhint: give --state/)
  }
})

t.test('recover finishes the delivery of a killed push with exactly its lines', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(3)), 'g.jsonl': jsonl(manyQueries(5).slice(3)) })
  const server = await startHttpServer(t, {
    answer: index => (index === 0 ? () => undefined : applied),
  })
  const args = (file: string): string[] => pushArgs(cwd, file, '--server', server.url, ...STATE)
  const cli = startCli(args('f.jsonl'), { cwd, env: { INGEST_BEARER_TOKEN: TOKEN } })
  await untilDone(cli, () => server.asked.length === 1)
  const before = await onState(cwd, ['recover', '--dry-run'])
  t.match(before.stdout, /^under way: numbers 1 to 3 of 0123456 to http:/)
  cli.child.kill('SIGKILL')
  await cli.result
  const plan = await onState(cwd, ['recover', '--dry-run', '--format', 'json'])
  t.strictSame(schemaErrors('recover-plan', plan.stdout), [])
  t.match(JSON.parse(plan.stdout), { intents: [{ since: 0, until: 3, abandoned: true }] })
  t.match((await onState(cwd, ['recover', '--dry-run'])).stdout, /^would deliver: numbers 1 to 3 of 0123456 to http:/)
  t.equal(server.asked.length, 1, 'a dry run sends nothing')
  const recovered = await onState(cwd, ['recover', '--server', server.url])
  t.equal(recovered.code, 0, recovered.stderr)
  t.match(recovered.stdout, /^recovered 3 records into http:/)
  t.match(recovered.stderr, /^recovered: numbers 1 to 3 of 0123456 to http:/m)
  t.match(await statusOf(cwd), { intents: [], audit: [{ event: 'recovered' }], targets: [{ lag: { records: 0 } }] })
  t.match((await onState(cwd, ['recover', '--server', server.url])).stdout, /^nothing to recover for http:/)
  t.match((await onState(cwd, ['recover', '--dry-run'])).stdout, /^nothing to recover$/m)
})

t.test('an interrupted delivery to a target that is not named is reported', async t => {
  const cwd = t.testdir({})
  await kept(cwd, DEAD)
  const server = await startAnswering(t, applied)
  const { code, stderr } = await onState(cwd, ['recover', '--server', server.url])
  t.equal(code, 0)
  t.match(
    stderr,
    /^warning: a delivery of numbers 1 to 3 of 0123456 to http:\/\/127\.0\.0\.1:1 is not finished; name that target/m,
  )
})

t.test('a drain beside a push delivers each record once', async t => {
  const cwd = t.testdir({})
  const server = await startHttpServer(t, { answer: index => (index < 2 ? json(503, {}) : applied) })
  await kept(cwd, server.url)
  writeFile(cwd, 'h.jsonl', jsonl(manyQueries(9).slice(5)))
  const results = await Promise.all([
    onState(cwd, ['drain', '--server', server.url]),
    push(cwd, ['h.jsonl', '--server', server.url, ...STATE]),
    onState(cwd, ['drain', '--server', server.url]),
  ])
  for (const { code, stderr } of results) t.equal(code, 0, stderr)
  t.equal((await onState(cwd, ['drain', '--server', server.url])).code, 0)
  t.equal(server.asked.slice(2).flatMap(asked => recordsOf(asked)).length, 8)
})

type DrainReport = {
  readonly exit_code: number
  readonly targets: readonly {
    readonly status: string
    readonly records: number
    readonly outbox: { readonly queued: number }
  }[]
  readonly left: readonly object[]
}
