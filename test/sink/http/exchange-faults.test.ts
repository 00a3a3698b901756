/** Exchanges that end before they are whole. */

import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { IngestError } from '../../../src/errors.js'
import { AnswerLost } from '../../../src/sink/http/connection-error.js'
import { applied, hangUp, json, startAnswering } from '../../fixtures/http-server.js'
import { startTcpProxy } from '../../fixtures/tcp-proxy.js'
import { chunks, failure, post, small, startTcp } from './fixtures/exchanging.js'

t.test('an answer without an end has one', async t => {
  const url = await startTcp(t, socket =>
    socket.once('data', () => {
      socket.write('HTTP/1.1 500 Oh\r\n\r\n')
      const more = (): void => void socket.write('x'.repeat(1_000), error => !error && setImmediate(more))
      more()
    }),
  )
  t.equal((await post(t, url, { body: small() })).text.length, 64 * 1024)
})

t.test('a server that says nothing more is given up after the time of silence', async t => {
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

t.test('a server that is slow but not silent is waited for', async t => {
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

t.test('an answer that never comes to its end is given up, however much is said', async t => {
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

t.test('a body that takes its time is no silence of the server', async t => {
  const server = await startAnswering(t, json(200, {}))
  const slow = async function* (): AsyncGenerator<Buffer> {
    for (let i = 0; i < 8; i++) {
      yield Buffer.from(' ')
      await setTimeout(150)
    }
  }
  t.equal((await post(t, server.url, { body: slow(), idleTimeoutMs: 1_000 })).status, 200)
})

t.test('a connection that breaks before the body is out is no lost answer', async t => {
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

t.test('an answer that breaks off in its body is lost too', async t => {
  const url = await startTcp(t, socket =>
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"inserted":1')),
  )
  const error = await failure(post(t, url, { body: small() }))
  t.ok(error instanceof AnswerLost, error.message)
})

t.test('what is no HTTP is no answer', async t => {
  const url = await startTcp(t, socket => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n')))
  t.equal((await failure(post(t, url, { body: small() }))).code, 'target_unreachable')
})

t.test('where nothing listens nothing is sent, and the port is what to check', async t => {
  const error = await failure(post(t, 'http://127.0.0.1:1', { body: small() }))
  t.match(error, { code: 'target_unreachable', message: /127\.0\.0\.1:1: .*ECONNREFUSED/, hint: /port/ })
  t.notOk(error instanceof AnswerLost)
})

t.test('a name that does not exist is told', async t => {
  const error = await failure(post(t, 'http://nowhere.invalid', { body: small() }))
  t.match(error, { code: 'target_unreachable', message: /nowhere\.invalid/, hint: /name/ })
})

t.test('a body that fails is the reason, wherever it fails, and the request is never whole', async t => {
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

t.test('an abort ends it at every point, with its reason', async t => {
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
