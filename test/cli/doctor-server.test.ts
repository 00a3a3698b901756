/** `doctor` against a real ingest service: well, behind TLS and proxies, and wrong in one way at a time. */

import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeAuthority, makeCertificate, type Certificate } from '../fixtures/certificates.js'
import { startReferenceServer } from '../fixtures/reference-server.js'
import { emptyFolder } from '../database/embedded/fixtures/folders.js'
import { runDoctor } from './fixtures/doctor.js'
import { countEmbeddedRows } from './fixtures/database.js'
import { startServe, stop, TOKEN } from './fixtures/serve.js'
import { listen } from '../fixtures/listen.js'
import { readFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:tls'

const folder = emptyFolder(t)
const serving = await startServe([], { cwd: folder })
const withToken = { INGEST_BEARER_TOKEN: TOKEN }

t.test('a service that is as it should be gets nothing but ok, and the token is not shown', async t => {
  const page = await runDoctor(t, ['--server', serving.url, '--retries', '3'], { env: withToken })
  t.equal(page.code, 0, page.text)
  t.strictSame(page.said('health'), ['ok it runs, its store (embedded) answers, contract version 3'])
  t.match(page.said('token'), ['ok set (INGEST_BEARER_TOKEN)', 'ok it is accepted'])
  t.strictSame(page.said('retries'), ['ok 3 (--retries)'])
  t.strictSame(page.said('retry-deadline'), ['ok 120 s (default)'])
  t.strictSame(page.said('address'), ['ok not encrypted, on this machine'])
  t.strictSame(page.said('clock'), ['ok this clock and the one there agree to the second'])
  t.strictSame(page.said('proxy'), ['ok none'])
  t.notMatch(page.text, TOKEN)
})

t.test('a token that is wrong, missing or unreadable is 77', async t => {
  const cwd = t.testdir({ empty: '\n', right: `${TOKEN}\n` })
  const at = ['--server', serving.url]
  for (const [args, env, code, says] of [
    [at, { INGEST_BEARER_TOKEN: 'wrong-token' }, 77, /^fail .* answered 401: unauthorized$/],
    [at, {}, 77, /^fail .* answered 401: unauthorized; none is set$/],
    [[...at, '--token-env', 'NONE'], {}, 77, /^fail there is no token in NONE$/],
    [[...at, '--token-file', 'empty'], withToken, 77, /^fail there is no token in empty$/],
    [[...at, '--token-file', 'nowhere'], withToken, 77, /^fail cannot read the token: /],
    [[...at, '--token-file', 'right'], {}, 0, /^ok it is accepted$/],
    [['--server', 'https://nowhere.invalid'], {}, 77, /^fail no token for https:\/\/nowhere\.invalid$/],
  ] as const) {
    const page = await runDoctor(t, args, { cwd, env })
    t.equal(page.code, code, page.text)
    t.match(page.said('token').at(-1), says)
    t.notMatch(page.text, /wrong-token|token-4711/)
  }
})

t.test('a token in the place of the name of its variable is not repeated', async t => {
  const page = await runDoctor(t, ['--server', serving.url, '--token-env', 'hush-4711'])
  t.equal(page.code, 77)
  t.match(page.said('token').at(-1), /^fail there is no token in the variable that --token-env names$/)
  t.notMatch(page.text, /hush-4711/)
})

t.test('behind TLS the chain and its expiry are reported, and a certificate that a push refuses fails', async t => {
  const dir = t.testdir()
  const authority = await makeAuthority(dir)
  const trusted = { ...withToken, SSL_CERT_FILE: authority.file }
  for (const [name, options, env, says] of [
    ['right', { authority }, trusted, /^ok TLSv1\.3, localhost < ca of the tests, valid until \S+ \(9 days\)$/],
    ['added', { authority }, { ...withToken, NODE_EXTRA_CA_CERTS: authority.file }, /^ok TLSv1\.3, localhost < ca of/],
    ['expired', { authority, expired: true }, trusted, /^fail its certificate expired on \d{4}-\d\d-\d\d \(/],
    [
      'elsewhere',
      { authority, hosts: ['ingest.example.com'] },
      trusted,
      /^fail .* for ingest\.example\.com, not for localhost/,
    ],
    ['self-signed', {}, withToken, /^fail its certificate is self-signed \(localhost\)$/],
    ['unknown', { authority }, withToken, /^fail its certificate is from an authority that is not trusted here/],
  ] as const)
    await t.test(name, async t => {
      const port = await startTlsFront(t, serving.port, await makeCertificate(join(dir, name), options))
      const page = await runDoctor(t, ['--server', `https://localhost:${port}`], { env })
      const isGood = name === 'right' || name === 'added'
      t.equal(page.code, isGood ? 0 : 78, page.text)
      t.match(page.said('certificate'), [says])
      const all = ['certificate', 'health', 'token'].map(check => `${check} target_misconfigured`)
      t.strictSame(page.failures, isGood ? [] : all)
      t.notMatch(page.text, TOKEN)
    })
})

t.test('a proxy is reported by its variable, without its password, and all requests use it', async t => {
  const dir = t.testdir()
  const authority = await makeAuthority(dir)
  const port = await startTlsFront(t, serving.port, await makeCertificate(dir, { authority, hosts: ['ingest.test'] }))
  const proxy = await startProxy(t)
  const env = {
    ...withToken,
    SSL_CERT_FILE: authority.file,
    HTTPS_PROXY: `http://me:hush-proxy@127.0.0.1:${proxy.port}`,
  }
  const page = await runDoctor(t, ['--server', `https://ingest.test:${port}`], { env })
  t.equal(page.code, 0, page.text)
  t.strictSame(page.said('proxy'), [`ok through http://127.0.0.1:${proxy.port} (HTTPS_PROXY)`])
  t.match(page.said('dns'), [/127\.0\.0\.1 is an address/], 'the name is for the proxy to look up')
  t.match(page.said('certificate'), [/^ok TLSv1\.3, ingest\.test < ca of the tests/])
  const login = `Basic ${Buffer.from('me:hush-proxy').toString('base64')}`
  t.strictSame([...new Set(proxy.asked)], [`ingest.test:${port} ${login}`])
  t.equal(proxy.asked.length, 3)
  t.notMatch(page.text, /hush-proxy/)
  const excepted = await runDoctor(t, ['--server', `https://localhost:${port}`], {
    env: { ...env, NO_PROXY: 'localhost' },
  })
  t.strictSame(excepted.said('proxy'), ['ok none: NO_PROXY excepts this host from HTTPS_PROXY'])
  t.equal(proxy.asked.length, 3)
})

t.test('a proxy that lets nobody through is a failure', async t => {
  const proxy = await startProxy(t, 407)
  const env = { ...withToken, HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` }
  const page = await runDoctor(t, ['--server', 'https://ingest.test'], { env })
  t.not(page.code, 0)
  t.match(page.said('token').at(-1), /^fail .*407/)
})

t.test('a dead port and a name that does not exist are 69', async t => {
  for (const [server, failed] of [
    ['http://127.0.0.1:1', ['health target_unreachable', 'token target_unreachable']],
    ['https://nowhere.invalid', ['dns', 'health', 'token'].map(check => `${check} target_unreachable`)],
  ] as const) {
    const page = await runDoctor(t, ['--server', server], { env: withToken })
    t.equal(page.code, 69)
    t.strictSame(page.failures, failed)
  }
})

t.test('a server that takes a connection and says nothing is given up in time', async t => {
  const port = await listen(
    t,
    createTcpServer(() => undefined),
  )
  const started = Date.now()
  const page = await runDoctor(t, ['--server', `http://127.0.0.1:${port}`], { env: withToken })
  t.equal(page.code, 69)
  t.ok(Date.now() - started < 25_000)
  t.match(page.said('token').at(-1), /^fail .*no answer for 8 s/)
})

const answering = async (t: Test, listener: RequestListener): Promise<string> =>
  `http://127.0.0.1:${await listen(t, createServer(listener))}`

t.test('the reference server is recognised by either of its answers to an invalid envelope', async t => {
  const plain = { 'content-type': 'text/plain; charset=utf-8' }
  const reference = (await startReferenceServer(t, TOKEN)).url
  const unparsed = await answering(t, (_, response) =>
    response.writeHead(400, plain).end('Failed to parse the request body as JSON: EOF while parsing a value'),
  )
  for (const url of [reference, unparsed]) {
    const page = await runDoctor(t, ['--server', url], { env: withToken })
    t.equal(page.code, 0, page.text)
    t.equal(page.said('token').at(-1), 'ok it is accepted')
  }
  const refused = await runDoctor(t, ['--server', reference], { env: { INGEST_BEARER_TOKEN: 'wrong-token' } })
  t.strictSame(refused.failures, ['token auth_failed'])
})

t.test('a server that is not an ingest service is recognised as such', async t => {
  const json = { 'content-type': 'application/json' }
  const answers: readonly (readonly [RequestListener, number, RegExp, RegExp])[] = [
    // A production server knows no /health.
    [
      (request, response) =>
        request.url === '/health'
          ? response.writeHead(404).end()
          : response.writeHead(400, json).end('{"error":"malformed","message":"EOF"}'),
      0,
      /^warn GET \/health answered 404/,
      /^ok it is accepted$/,
    ],
    [(_, response) => response.writeHead(404).end(), 78, /^warn/, /^fail .* answered 404$/],
    [
      (_, response) => response.writeHead(301, { location: '/there' }).end(),
      78,
      /^warn/,
      /^fail .* redirects to "\/there"$/,
    ],
    [
      (_, response) => response.writeHead(400).end('\n<html>\u001b[2J\n<body>'),
      0,
      /^warn GET \/health answered 400 \(<html>\\u001b\[2J\), not as/,
      /^warn POST \/api\/ingest answered 400 \(<html>\\u001b\[2J\) to a body of null/,
    ],
    [
      (_, response) =>
        response
          .writeHead(400, { 'content-type': 'text/plain' })
          .end('Client sent an HTTP request to an HTTPS server.'),
      0,
      /^warn/,
      /^warn POST \/api\/ingest answered 400 \(Client sent an HTTP request to an HTTPS server\.\)/,
    ],
    [
      (_, response) => response.writeHead(502).end(`upstream of ${'.'.repeat(170)}${TOKEN} is down`),
      69,
      /^warn/,
      /^fail .* answered 502: upstream of \.{170}\*\*\* is down$/,
    ],
    [(_, response) => response.writeHead(503).end(), 69, /^fail GET \/health answered 503$/, /^fail .* answered 503$/],
    [
      (_, response) => response.writeHead(200, json).end('{"schema_version":0,"inserted":0,"updated":0}'),
      78,
      /^fail it runs, contract version 0, which this program does not know$/,
      /^warn POST \/api\/ingest answered 200/,
    ],
    [
      (_, response) => response.writeHead(200, json).end('{"schema_version":1,"inserted":0,"updated":0}'),
      0,
      /^warn it runs, contract version 1: newer files are refused$/,
      /^warn POST \/api\/ingest answered 200/,
    ],
    [
      (_, response) => response.writeHead(403, json).end(`{"error":"no ${TOKEN}"}`),
      77,
      /^warn/,
      /^fail .*403: no \*\*\*$/,
    ],
  ]
  for (const [listener, code, health, token] of answers) {
    const page = await runDoctor(t, ['--server', await answering(t, listener)], { env: withToken })
    t.equal(page.code, code, page.text)
    t.match(page.said('health'), [health])
    t.match(page.said('token').at(-1), token)
    t.notMatch(page.text, TOKEN)
  }
})

t.test('a clock that is an hour off warns', async t => {
  const date = new Date(Date.now() - 3_600_000).toUTCString()
  const url = await answering(t, (_, response) => response.writeHead(200, { date }).end('{"schema_version":1}'))
  const page = await runDoctor(t, ['--server', url], { env: withToken })
  t.match(page.said('clock'), [/^warn this clock is (3599|3600|3601) s ahead of the one there$/])
})

t.test('an address that cannot be read is a failed line, and its password stays hidden', async t => {
  for (const server of [
    'https://me:hush-4711@ingest.example.com',
    'ftp://x',
    'not a url',
    'https://x/?token=hush-4711',
  ]) {
    const page = await runDoctor(t, ['--server', server], { env: withToken })
    t.equal(page.code, 78)
    t.strictSame(page.failures, ['address usage'])
    t.notMatch(page.text, /hush-4711/)
  }
})

t.test('the failure that must be seen to first decides: 77, then 78, then 69', async t => {
  const dead = ['--postgres', 'postgres://bench_ingest:x@127.0.0.1:1/bench']
  const wrong = await runDoctor(t, ['--server', serving.url, ...dead], { env: { INGEST_BEARER_TOKEN: 'wrong-token' } })
  t.equal(wrong.code, 77)
  t.strictSame(wrong.failures, ['token auth_failed', 'login target_unreachable'])
  const odd = await runDoctor(t, ['--server', 'ftp://x', ...dead], { env: withToken })
  t.equal(odd.code, 78)
  const down = await runDoctor(t, ['--server', serving.url, ...dead], { env: withToken })
  t.equal(down.code, 69)
})

t.test('nothing was written by all that', async t => {
  const { code } = await stop(serving)
  t.equal(code, 0)
  t.equal(await countEmbeddedRows(join(folder, '.vortex-ingest')), 0)
})

/** @returns the port on which TLS is spoken and passed on in the clear */
async function startTlsFront(t: Test, port: number, { certFile, keyFile }: Certificate): Promise<number> {
  const options = { cert: readFileSync(certFile), key: readFileSync(keyFile) }
  return listen(
    t,
    createTlsServer(options, socket => joinSockets(socket, connect(port, '127.0.0.1'))).on(
      'tlsClientError',
      () => undefined,
    ),
  )
}

type Proxy = { readonly port: number; readonly asked: readonly string[] }

/** A proxy for CONNECT, which leads every name to this machine. @param status what it answers with */
async function startProxy(t: Test, status = 200): Promise<Proxy> {
  const asked: string[] = []
  const server = createServer()
  server.on('connect', (request, socket: Socket) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization'] ?? 'nobody'}`)
    if (status !== 200) return socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`)
    socket.write('HTTP/1.1 200 Yes\r\n\r\n')
    joinSockets(socket, connect(Number(request.url?.split(':').at(-1)), '127.0.0.1'))
  })
  return { port: await listen(t, server), asked }
}

function joinSockets(one: Socket, other: Socket): void {
  for (const socket of [one, other])
    socket.on('error', () => {
      one.destroy()
      other.destroy()
    })
  one.pipe(other).pipe(one)
}
