import { Agent } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { AnswerLost } from '../../../src/http/connection-error.js'
import { applied, json, startAnswering, startHttpServer, type Answer } from '../../fixtures/http-server.js'
import { chunks, failure, post, small, startTcp } from './fixtures/exchanging.js'

t.test('the body arrives and the answer comes back, with its headers', async t => {
  const server = await startAnswering(t, json(418, { error: 'teapot' }, { 'x-more': 'yes' }))
  const answer = await post(t, `${server.url}/path?q=1`, { body: small() })
  t.match(answer, { status: 418, text: '{"error":"teapot"}', headers: { 'x-more': 'yes' } })
  t.match(server.asked, [{ method: 'POST', path: '/path?q=1', body: Buffer.from('{"records":[1,2]}') }])
})

t.test('a connection is reused for the next request, also after a rejected body', async t => {
  const server = await startAnswering(t, applied, json(503, {}), applied)
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  for (let i = 0; i < 3; i++) await post(t, server.url, { agent, body: small() })
  t.equal(server.asked.length, 3)
  t.equal(new Set(server.asked.map(({ port }) => port)).size, 1)
})

t.test('an answer that arrives before the whole body is sent is used, and the rest is not sent', async t => {
  const slowly: Answer = async response => {
    response.req.resume()
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

t.test('an aborted request does not disturb the next one', async t => {
  const server = await startHttpServer(t, { early: true, answer: () => json(401, {}) })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  for (let i = 0; i < 3; i++)
    t.equal((await post(t, server.url, { agent, body: chunks(500), idleTimeoutMs: 2_000 })).status, 401)
})

t.test('an early answer is used although the server closes the connection after it', async t => {
  const head = 'HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}'
  const url = await startTcp(t, socket => socket.once('data', () => socket.end(head, () => socket.destroy())))
  for (let i = 0; i < 10; i++) {
    const answer = await post(t, url, { body: chunks(200) })
    t.match(answer, { status: 401, text: '{}' })
  }
})

t.test('a body that the server does not read does not accumulate in memory', async t => {
  const url = await startTcp(t, socket => socket.pause())
  let sent = 0
  const body = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of chunks(10_000)) {
      sent++
      yield chunk
    }
  }
  const error = await failure(post(t, url, { body: body(), idleTimeoutMs: 300 }))
  t.match(error, { code: 'target_unreachable', message: /no answer for 0.3 s/ })
  t.notOk(error instanceof AnswerLost)
  t.ok(sent < 1_000, `${sent} chunks`)
})

t.test('only the start of a 10 MB error body is read', async t => {
  const server = await startAnswering(t, response => response.writeHead(500).end(Buffer.alloc(10_000_000, 'x')))
  const answer = await post(t, server.url, { body: small() })
  t.equal(answer.status, 500)
  t.equal(answer.text.length, 64 * 1024)
  t.equal((await post(t, server.url, { maxAnswerBytes: 5 })).text, 'xxxxx')
})
