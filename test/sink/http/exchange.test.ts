import { once } from 'node:events'
import { Agent } from 'node:http'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { IngestError } from '../../../src/errors.js'
import { AnswerLost } from '../../../src/sink/http/connection-error.js'
import { exchange, type HttpAnswer, type HttpRequest } from '../../../src/sink/http/exchange.js'
import { applied, hangUp, json, startAnswering, startHttpServer, type Answer } from '../../fixtures/http-server.js'
import { startTcpProxy } from '../../fixtures/tcp-proxy.js'

type Changes = Partial<HttpRequest>

/** A POST of `body`, on connections that end with the test. */
function post(t: Test, url: string, changes: Changes = {}): Promise<HttpAnswer> {
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const { signal } = new AbortController()
  const headers = { 'content-type': 'application/json' }
  return exchange({ method: 'POST', url: new URL(url), headers, agent, silenceMs: 5_000, signal, ...changes })
}

async function failure(promise: Promise<unknown>): Promise<IngestError> {
  const error: unknown = await promise.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  )
  if (!(error instanceof IngestError)) throw error
  return error
}

async function* chunks(count: number, bytes = 64 * 1024): AsyncGenerator<Buffer> {
  for (let i = 0; i < count; i++) yield Buffer.alloc(bytes, ' ')
}

async function* small(): AsyncGenerator<Buffer> {
  yield Buffer.from('{"records":[1,2]}')
}

/** A server that speaks no HTTP of its own. @param talk with whoever connects */
async function startTcp(t: Test, talk: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => undefined))
    talk(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('the body arrives and the answer comes back, with its headers', async t => {
  const server = await startAnswering(t, json(418, { error: 'teapot' }, { 'x-more': 'yes' }))
  const answer = await post(t, `${server.url}/path?q=1`, { body: small() })
  t.match(answer, { status: 418, text: '{"error":"teapot"}', headers: { 'x-more': 'yes' } })
  t.match(server.asked, [{ method: 'POST', path: '/path?q=1', body: Buffer.from('{"records":[1,2]}') }])
})

t.test('a connection is used again for the next request, also after a body that was refused', async t => {
  const server = await startAnswering(t, applied, json(503, {}), applied)
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  for (let i = 0; i < 3; i++) await post(t, server.url, { agent, body: small() })
  t.equal(server.asked.length, 3)
  t.equal(new Set(server.asked.map(({ port }) => port)).size, 1)
})

t.test('an answer that comes before the body is sent is taken, and the rest of the body is not sent', async t => {
  const slowly: Answer = async response => {
    response.writeHead(401).flushHeaders()
    await setTimeout(1_000)
    response.end('{"error":"unauthorized"}')
  }
  const server = await startHttpServer(t, { early: true, answer: () => slowly })
  let sent = 0
  const endless = async function* (): AsyncGenerator<Buffer> {
    for (;;) {
      sent++
      yield Buffer.alloc(64 * 1024, ' ')
      await setTimeout(1)
    }
  }
  const answer = await post(t, server.url, { body: endless() })
  t.match(answer, { status: 401, text: '{"error":"unauthorized"}' })
  t.ok(sent < 200, `${sent} chunks`)
})

t.test('half a request does not stand in the way of the next one', async t => {
  const server = await startHttpServer(t, { early: true, answer: () => json(401, {}) })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  for (let i = 0; i < 3; i++)
    t.equal((await post(t, server.url, { agent, body: chunks(500), silenceMs: 2_000 })).status, 401)
})

t.test('an early answer is taken although the server closes the connection with it', async t => {
  const head = 'HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}'
  const url = await startTcp(t, socket => socket.once('data', () => socket.end(head, () => socket.destroy())))
  for (let i = 0; i < 10; i++) {
    const answer = await post(t, url, { body: chunks(200) })
    t.match(answer, { status: 401, text: '{}' })
  }
})

t.test('a body that nobody reads does not pile up in memory', async t => {
  const url = await startTcp(t, socket => socket.pause())
  let sent = 0
  const body = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of chunks(10_000)) {
      sent++
      yield chunk
    }
  }
  const error = await failure(post(t, url, { body: body(), silenceMs: 300 }))
  t.match(error, { code: 'target_unreachable', message: /no answer for 0.3 s/ })
  t.notOk(error instanceof AnswerLost)
  t.ok(sent < 1_000, `${sent} chunks`)
})

t.test('of an error body of 10 MB only the start is read', async t => {
  const server = await startAnswering(t, response => response.writeHead(500).end(Buffer.alloc(10_000_000, 'x')))
  const answer = await post(t, server.url, { body: small() })
  t.equal(answer.status, 500)
  t.equal(answer.text.length, 64 * 1024)
  t.equal((await post(t, server.url, { maxAnswerBytes: 5 })).text, 'xxxxx')
})

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
  ]) {
    const url = await startTcp(t, socket => socket.once('data', () => socket.write(said)))
    const error = await failure(post(t, url, { body: small(), silenceMs: 200 }))
    t.match(error, { code: 'target_unreachable', message: /no answer for 0.2 s/ }, JSON.stringify(said))
    t.ok(error instanceof AnswerLost, 'all of it was sent')
  }
})

t.test('a server that is slow but not silent is waited for', async t => {
  const server = await startAnswering(t, async response => {
    response.writeHead(200)
    for (const byte of '{"inserted":1}') {
      response.write(byte)
      await setTimeout(50)
    }
    response.end()
  })
  t.equal((await post(t, server.url, { body: small(), silenceMs: 300 })).text, '{"inserted":1}')
})

t.test('a body that takes its time is no silence of the server', async t => {
  const server = await startAnswering(t, json(200, {}))
  const slow = async function* (): AsyncGenerator<Buffer> {
    for (let i = 0; i < 8; i++) {
      yield Buffer.from(' ')
      await setTimeout(60)
    }
  }
  t.equal((await post(t, server.url, { body: slow(), silenceMs: 300 })).status, 200)
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
  for (const [url, body] of [
    [server.url, small()],
    [server.url, chunks(100_000)],
    [half, small()],
  ] as const) {
    const controller = new AbortController()
    const answer = post(t, url, { body, signal: controller.signal })
    await Promise.race([setTimeout(100), answer])
    const abortedAt = Date.now()
    controller.abort(reason)
    t.equal(await failure(answer), reason)
    t.ok(Date.now() - abortedAt < 2_000)
  }
})
