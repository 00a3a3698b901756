/** A server that is down, slow, or breaks off: tried again as long as that may help, and told. */

import t, { type Test } from 'tap'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { startCli, temporaryFiles, untilDone } from '../fixtures/cli.js'
import { applied, hangUp, json, startAnswering, startHttpServer, type Answer } from '../fixtures/http-server.js'
import { startTcpProxy } from '../fixtures/tcp-proxy.js'
import { push, pushArgs, pushReported, TOKEN } from './fixtures/pushing.js'
import { jsonl, manyQueries, query } from '../fixtures/records.js'
import { schemaErrors } from './fixtures/schema.js'

const one = (t: Test): string => t.testdir({ 'f.jsonl': jsonl([query()]) })

t.test('a lost answer is requested again with the same key, and reported', async t => {
  const cwd = one(t)
  const server = await startAnswering(t, hangUp, json(200, { inserted: 0, updated: 1 }))
  const { code, stdout, stderr, target } = await pushReported(cwd, ['f.jsonl', '--server', server.url])
  t.equal(code, 0, stderr)
  t.match(target, { status: 'delivered', inserted: 0, updated: 1, attempts: 2 })
  t.match(target.retries, [{ answer_lost: true, error: /the whole request was sent, but the answer is lost/ }])
  t.strictSame(schemaErrors('push-report', stdout), [])
  t.match(stderr, /warning: \S+ was retried once, the last time because of: .*the answer is lost/)
  t.match(
    stderr,
    /warning: an answer of \S+ was lost once: the records may have been applied before .* count as updated/,
  )
  const [first, second] = server.asked
  t.equal(first?.headers['idempotency-key'], second?.headers['idempotency-key'])
  t.strictSame(first?.body, second?.body)
})

t.test('an answer of 200 that breaks off on its way is lost too', async t => {
  const cwd = one(t)
  const server = await startAnswering(t, applied)
  const proxy = await startTcpProxy(t, { port: server.port })
  // The answer about the server's version has fewer bytes; the cut falls into the one about the envelope.
  proxy.cutAfter(230, 'down')
  const { code, target } = await pushReported(cwd, ['f.jsonl', '--server', `http://127.0.0.1:${proxy.port}`])
  t.equal(code, 0)
  t.match(target, { attempts: 2, retries: [{ answer_lost: true }] })
  t.equal(server.asked.length, 2)
})

t.test('a server that dies in the middle of the body gets it again, whole', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(10_000)) })
  for (const more of [[], ['--compress']]) {
    const server = await startAnswering(t, applied)
    const proxy = await startTcpProxy(t, { port: server.port })
    proxy.cutAfter(more.length === 0 ? 1_000_000 : 20_000)
    const args = ['f.jsonl', '--server', `http://127.0.0.1:${proxy.port}`, ...more]
    const { code, stderr, target } = await pushReported(cwd, args)
    t.equal(code, 0, stderr)
    // Whether the end of the body was still here or in the system's buffers is a matter of luck.
    t.match(target, { records: 10_000, inserted: 10_000, attempts: 2 })
    t.equal(server.asked[0]?.body, undefined, 'what came first was not whole')
  }
})

t.test('Retry-After is obeyed, in seconds and as a date', async t => {
  const cwd = one(t)
  const busy = (after: string): Answer => json(429, { error: 'busy' }, { 'retry-after': after })
  const soon: Answer = (response, asked) => busy(new Date(Date.now() + 2_000).toUTCString())(response, asked)
  const server = await startAnswering(t, busy('2'), soon, applied)
  const { code, target } = await pushReported(cwd, ['f.jsonl', '--server', server.url])
  t.equal(code, 0)
  t.match(target, { attempts: 3, retries: [{ error: /429: busy/ }, { error: /429: busy/ }] })
  t.equal(target.retries[0]?.waited_ms, 2_000)
  t.ok(target.waited_ms > 2_500, `${target.waited_ms} ms`)
})

t.test('a server that asks for more patience than there is is not waited for', async t => {
  const cwd = one(t)
  const server = await startAnswering(t, json(503, { error: 'later' }, { 'retry-after': '3600' }))
  const { code, stderr, target } = await pushReported(cwd, ['f.jsonl', '--server', server.url])
  t.equal(code, 69)
  t.match(target, { attempts: 1, waited_ms: 0, retries: [] })
  t.match(stderr, /error: \S+ answered 503: later/)
  t.equal(server.asked.length, 1)
})

t.test('503 for longer than the deadline ends in 69, with every try in the report', async t => {
  const cwd = one(t)
  const server = await startAnswering(t, json(503, {}))
  const args = ['f.jsonl', '--server', server.url, '--retry-deadline', '1.5', '--retries', '1000']
  const { code, stderr, target } = await pushReported(cwd, args)
  t.equal(code, 69, stderr)
  t.equal(target.attempts, server.asked.length)
  t.equal(target.retries.length, server.asked.length - 1)
  t.ok(target.waited_ms <= 1_500, `${target.waited_ms} ms`)
})

t.test('--retries says how often, 0 never', async t => {
  const cwd = one(t)
  for (const retries of [0, 2]) {
    const server = await startAnswering(t, json(503, {}, { 'retry-after': '0' }))
    const { code } = await push(cwd, ['f.jsonl', '--server', server.url, '--retries', String(retries)])
    t.equal(code, 69)
    t.equal(server.asked.length, retries + 1)
  }
})

t.test('a server that hangs after the headers is given up after --timeout', async t => {
  const cwd = one(t)
  const server = await startAnswering(t, response => response.writeHead(200, { 'content-length': 50 }).flushHeaders())
  const args = ['f.jsonl', '--server', server.url, '--timeout', '1', '--retries', '0']
  const { code, stderr, target } = await pushReported(cwd, args)
  t.equal(code, 69)
  t.match(
    stderr,
    /no answer for 1 s: the whole request was sent, but the answer is lost\nhint: .*unknown.*again is safe/,
  )
  t.match(target, { attempts: 1, failed: { code: 'target_unreachable' } })
})

t.test('a refused connection is retried, and the hint says what to check', async t => {
  const cwd = one(t)
  const { code, stderr, target } = await pushReported(cwd, [
    'f.jsonl',
    '--server',
    'http://127.0.0.1:1',
    '--retries',
    '1',
  ])
  t.equal(code, 69)
  t.match(target, { attempts: 2, retries: [{ answer_lost: false, error: /ECONNREFUSED/ }] })
  t.match(stderr, /hint: check the port in --server/)
})

t.test('a file that changes while it is sent is not applied', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(50_000)) })
  const file = join(cwd, 'f.jsonl')
  for (const more of [[], ['--compress']]) {
    const server = await startHttpServer(t, { early: true, answer: () => changing(file) })
    const { code, stderr } = await push(cwd, ['f.jsonl', '--server', server.url, ...more])
    t.equal(code, 65, stderr)
    t.match(stderr, /f\.jsonl changed while it was being read/)
    t.equal(server.asked.length, 1, 'and it is not tried again')
  }
})

/** Changes the file when its first bytes have come, and counts on the rest never coming whole. */
function changing(file: string): Answer {
  return response => {
    const { req } = response
    req.once('data', () => appendFileSync(file, `${query({ query_idx: 1_000_000 })}\n`))
    req.on('end', () => json(200, { inserted: 50_000, updated: 0 })(response, undefined as never))
    req.resume()
  }
}

t.test('Ctrl-C in the middle of the body ends in 130, and the body never ends', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(50_000)) })
  let hasBegun = false
  const server = await startHttpServer(t, {
    early: true,
    answer: () => response => void response.req.once('data', () => (hasBegun = true) && response.req.pause()),
  })
  const cli = startCli(pushArgs(cwd, 'f.jsonl', '--server', server.url), { cwd, env: { INGEST_BEARER_TOKEN: TOKEN } })
  await untilDone(cli, () => hasBegun)
  const interruptedAt = Date.now()
  cli.child.kill('SIGINT')
  const { code, stdout, stderr } = await cli.result
  t.equal(code, 130)
  t.equal(stdout, '')
  t.equal(stderr, 'error: interrupted: unfinished work was undone\n')
  t.ok(Date.now() - interruptedAt < 2_900)
  t.strictSame(temporaryFiles(), [])
})

t.test('Ctrl-C during the wait for a retry ends immediately and reports the files delivered before', async t => {
  const cwd = t.testdir({ 'a.jsonl': jsonl([query()]), 'b.jsonl': jsonl([query({ query_idx: 2 })]) })
  const server = await startAnswering(t, applied, json(503, {}, { 'retry-after': '9' }))
  const cli = startCli(pushArgs(cwd, '-v', 'a.jsonl', 'b.jsonl', '--server', server.url), {
    cwd,
    env: { INGEST_BEARER_TOKEN: TOKEN },
  })
  let log = ''
  cli.child.stderr!.on('data', (chunk: Buffer) => (log += chunk.toString()))
  await untilDone(cli, () => log.includes('answered 503'))
  cli.child.kill('SIGINT')
  const { code, stdout, stderr } = await cli.result
  t.equal(code, 130)
  t.match(stdout, /^ingested 1 record of 0123456 into /)
  t.match(stderr, /b\.jsonl was not stored completely; the files before it were\nerror: interrupted/)
})
