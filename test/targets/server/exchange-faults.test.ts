/** Requests that fail before their answer is complete. */

import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { IngestError } from '../../../src/errors.js'
import { AnswerLost } from '../../../src/http/connection-error.js'
import { applied, hangUp, json, startAnswering } from '../../fixtures/http-server.js'
import { startTcpProxy } from '../../fixtures/tcp-proxy.js'
import { chunks, failure, post, small, startTcp } from './fixtures/exchanging.js'

t.test('an endless answer is truncated', async t => {
  const url = await startTcp(t, socket =>
    socket.once('data', () => {
      socket.write('HTTP/1.1 500 Oh\r\n\r\n')
      const more = (): void => void socket.write('x'.repeat(1_000), error => !error && setImmediate(more))
      more()
    }),
  )
  t.equal((await post(t, url, { body: small() })).text.length, 64 * 1024)
})

t.test('a server that sends nothing more is abandoned after the idle timeout', async t => {
  for (const said of [
    '',
    'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"in',
    'HTTP/1.1 200 OK\r\n\r\n{"inserted":1,"updated":0}',
  ]) {
    const url = await startTcp(t, socket => socket.once('data', () => socket.write(said)))
    const error = await failure(post(t, url, { body: small(), idleTimeoutMs: 200 }))
    t.match(error, { code: 'target_unreachable', message: /no answer for 0.2 s/ }, JSON.stringify(said))
    t.ok(error instanceof AnswerLost, 'all of it was sent')
  }
})

t.test('a slow server that keeps sending is waited for', async t => {
  const server = await startAnswering(t, async response => {
    response.writeHead(200)
    for (const byte of '{"inserted":1}') {
      response.write(byte)
      await setTimeout(100)
    }
    response.end()
  })
  t.equal((await post(t, server.url, { body: small(), idleTimeoutMs: 1_000 })).text, '{"inserted":1}')
})

t.test('an answer that never ends is abandoned, however much is sent', async t => {
  const dripping = async (head: string, more: string): Promise<void> => {
    const url = await startTcp(t, socket =>
      socket.once('data', () => {
        socket.write(head)
        const drip = setInterval(() => socket.write(more), 20)
        socket.once('close', () => clearInterval(drip))
      }),
    )
    const error = await failure(post(t, url, { body: small(), idleTimeoutMs: 400 }))
    t.match(error, { code: 'target_unreachable', message: /no end of the answer in 4 s/ }, more)
    t.ok(error instanceof AnswerLost, 'all of it was sent')
  }
  await Promise.all([dripping('HTTP/1.1 200 OK\r\n\r\n', ' '), dripping('', 'HTTP/1.1 102 Processing\r\n\r\n')])
})

t.test('a slow request body does not trigger the idle timeout', async t => {
  const server = await startAnswering(t, json(200, {}))
  const slow = async function* (): AsyncGenerator<Buffer> {
    for (let i = 0; i < 8; i++) {
      yield Buffer.from(' ')
      await setTimeout(150)
    }
  }
  t.equal((await post(t, server.url, { body: slow(), idleTimeoutMs: 1_000 })).status, 200)
})

t.test('a connection that breaks before the whole body is sent is not a lost answer', async t => {
  const { port } = await startAnswering(t, applied)
  const proxy = await startTcpProxy(t, { port })
  proxy.cutAfter(100_000)
  const error = await failure(post(t, `http://127.0.0.1:${proxy.port}`, { body: chunks(500) }))
  t.equal(error.code, 'target_unreachable')
  t.notOk(error instanceof AnswerLost)
})

t.test('a connection that breaks after the body is a lost answer', async t => {
  const server = await startAnswering(t, hangUp)
  const error = await failure(post(t, server.url, { body: small() }))
  t.ok(error instanceof AnswerLost, error.message)
  t.match(error.message, /answer is lost/)
})

t.test('an answer that breaks off in its body is a lost answer', async t => {
  const url = await startTcp(t, socket =>
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"inserted":1')),
  )
  const error = await failure(post(t, url, { body: small() }))
  t.ok(error instanceof AnswerLost, error.message)
})

t.test('an answer that is not HTTP is an error', async t => {
  const url = await startTcp(t, socket => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n')))
  t.equal((await failure(post(t, url, { body: small() }))).code, 'target_unreachable')
})

t.test('when nothing listens the hint is to check the port', async t => {
  const error = await failure(post(t, 'http://127.0.0.1:1', { body: small() }))
  t.match(error, { code: 'target_unreachable', message: /127\.0\.0\.1:1: .*ECONNREFUSED/, hint: /port/ })
  t.notOk(error instanceof AnswerLost)
})

t.test('an unknown host name is reported', async t => {
  const error = await failure(post(t, 'http://nowhere.invalid', { body: small() }))
  t.match(error, { code: 'target_unreachable', message: /nowhere\.invalid/, hint: /name/ })
})

t.test('an error of the body is reported, and the request is never completed', async t => {
  const server = await startAnswering(t, applied)
  for (const after of [0, 1, 200]) {
    const reason = new IngestError('input_changed', 'the file has changed')
    const body = async function* (): AsyncGenerator<Buffer> {
      yield* chunks(after)
      await setTimeout(20)
      throw reason
    }
    t.equal(await failure(post(t, server.url, { body: body() })), reason, `after ${after}`)
  }
  t.ok(server.asked.every(({ body }) => body === undefined))
})

t.test('an abort ends the request at every point with its reason', async t => {
  const reason = new IngestError('interrupted', 'interrupted')
  const server = await startAnswering(t, () => undefined)
  const half = await startTcp(t, socket =>
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{')),
  )
  await t.rejects(post(t, server.url, { signal: AbortSignal.abort(reason) }), reason)
  for (const [url, body, delayMs = 100] of [
    [server.url, small(), 0],
    [server.url, small()],
    [server.url, chunks(100_000)],
    [half, small()],
  ] as const) {
    const controller = new AbortController()
    const answer = post(t, url, { body, signal: controller.signal })
    if (delayMs > 0) await Promise.race([setTimeout(delayMs), answer])
    const abortedAt = Date.now()
    controller.abort(reason)
    t.equal(await failure(answer), reason)
    t.ok(Date.now() - abortedAt < 10_000)
  }
})
