/** Certificates and proxies between a push and its server. */

import t, { type Test } from 'tap'
import { applied, startAnswering, startHttpServer, type TestServer } from '../fixtures/http-server.js'
import { makeAuthority, makeCertificate, type CertificateOptions } from '../fixtures/certificates.js'
import { push, TOKEN } from './fixtures/pushing.js'
import { jsonl, query } from '../fixtures/records.js'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { listen } from '../fixtures/listen.js'

const dir = t.testdir({ 'f.jsonl': jsonl([query()]), certificates: {} })
const authority = await makeAuthority(`${dir}/certificates`)
const other = await makeAuthority(`${dir}/certificates`, 'other')

async function startTls(options: CertificateOptions = {}): Promise<TestServer> {
  const certificate = await makeCertificate(`${dir}/certificates`, {
    authority,
    name: `server-${Math.random()}`,
    ...options,
  })
  return startHttpServer(t, { answer: () => applied, certificate })
}

const to = (server: { readonly url: string }, ...more: readonly string[]): string[] => [
  ...['f.jsonl', '--server', server.url, '--retries', '0', '--timeout', '5', ...more],
]

t.test('a private authority is trusted from either variable, and from both', async t => {
  const server = await startTls()
  for (const env of [
    { NODE_EXTRA_CA_CERTS: authority.file },
    { SSL_CERT_FILE: authority.file },
    { SSL_CERT_FILE: other.file, NODE_EXTRA_CA_CERTS: authority.file },
  ]) {
    const { code, stderr } = await push(dir, to(server), { env: env })
    t.equal(code, 0, stderr)
  }
  t.equal(server.asked.length, 3)
})

t.test('a certificate that proves nothing ends in 78, and nothing is sent', async t => {
  const right = await startTls()
  const wrongHost = await startTls({ hosts: ['elsewhere.example'] })
  const expired = await startTls({ expired: true })
  const trusting = { NODE_EXTRA_CA_CERTS: authority.file }
  for (const [server, env, hint] of [
    [right, {}, /NODE_EXTRA_CA_CERTS or SSL_CERT_FILE/],
    [right, { SSL_CERT_FILE: other.file }, /NODE_EXTRA_CA_CERTS or SSL_CERT_FILE/],
    [right, { NODE_TLS_REJECT_UNAUTHORIZED: '0' }, /NODE_EXTRA_CA_CERTS/],
    [wrongHost, trusting, /the name in --server that the certificate is for/],
    [expired, trusting, /renewed/],
  ] as const) {
    const { code, stderr } = await push(dir, [...to(server), '--allow-failure'], { env })
    t.equal(code, 78, stderr)
    t.match(stderr, hint)
    t.equal(server.asked.length, 0)
  }
})

t.test('a file of authorities that cannot be read is named', async t => {
  const server = await startTls()
  const { code, stderr } = await push(dir, to(server), { env: { SSL_CERT_FILE: '/nowhere/ca.pem' } })
  t.equal(code, 78)
  t.match(stderr, /\/nowhere\/ca\.pem.*\nhint: .*SSL_CERT_FILE/)
})

t.test('TLS to a port that speaks none, and none to one that does', async t => {
  const plain = await startAnswering(t, applied)
  const secure = await startTls()
  const { code, stderr } = await push(dir, to({ url: plain.url.replace('http:', 'https:') }))
  t.equal(code, 78, stderr)
  t.match(stderr, /speaks TLS/)
  const reverse = await push(dir, to({ url: secure.url.replace('https:', 'http:') }))
  t.not(reverse.code, 0)
  t.equal(plain.asked.length + secure.asked.length, 0)
})

t.test('HTTPS_PROXY is a tunnel: the proxy hears where to, not what', async t => {
  const server = await startTls()
  const env = { NODE_EXTRA_CA_CERTS: authority.file }
  for (const [name, scheme, ca] of [
    ['HTTPS_PROXY', 'http://', env],
    ['https_proxy', '', env],
    ['ALL_PROXY', 'http://', { SSL_CERT_FILE: authority.file }],
  ] as const) {
    const proxy = await startHttpProxy(t)
    const { code, stderr } = await push(dir, to(server), {
      env: { ...ca, [name]: `${scheme}127.0.0.1:${proxy.port}` },
    })
    t.equal(code, 0, stderr)
    t.strictSame(proxy.asked, [`CONNECT 127.0.0.1:${server.port}`])
    t.notMatch(proxy.heard(), TOKEN)
  }
})

t.test('NO_PROXY goes past it', async t => {
  const server = await startTls()
  const proxy = await startHttpProxy(t)
  const via = { NODE_EXTRA_CA_CERTS: authority.file, HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` }
  for (const NO_PROXY of ['127.0.0.1', 'example.com,127.0.0.1', '*', `127.0.0.1:${server.port}`])
    t.equal((await push(dir, to(server), { env: { ...via, NO_PROXY } })).code, 0)
  t.strictSame(proxy.asked, [])
  await push(dir, to(server), { env: { ...via, NO_PROXY: 'example.com' } })
  t.equal(proxy.asked.length, 1)
})

t.test('a wrong certificate is refused through a proxy too', async t => {
  const server = await startTls({ hosts: ['elsewhere.example'] })
  const proxy = await startHttpProxy(t)
  const HTTPS_PROXY = `http://127.0.0.1:${proxy.port}`
  for (const more of [
    { NODE_EXTRA_CA_CERTS: authority.file },
    { SSL_CERT_FILE: authority.file },
    { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
  ])
    t.equal((await push(dir, to(server), { env: { HTTPS_PROXY, ...more } })).code, 78)
  t.equal(server.asked.length, 0)
})

t.test('HTTP_PROXY forwards plain requests', async t => {
  const server = await startAnswering(t, applied)
  const proxy = await startHttpProxy(t)
  const { code, stderr } = await push(dir, to(server), { env: { HTTP_PROXY: `http://127.0.0.1:${proxy.port}` } })
  t.equal(code, 0, stderr)
  t.strictSame(proxy.asked, [`GET ${server.url}/health?version`, `POST ${server.url}/api/ingest`])
})

t.test("a proxy's password is used, and shown nowhere", async t => {
  const server = await startTls()
  const plain = await startAnswering(t, applied)
  const proxy = await startHttpProxy(t, { credentials: 'me:hush-proxy' })
  const at = `127.0.0.1:${proxy.port}`
  for (const [credentials, wanted] of [
    ['me:hush-proxy@', 0],
    ['me:hush-wrong@', 78],
    ['', 78],
  ] as const)
    for (const one of [server, plain]) {
      const url = `http://${credentials}${at}`
      const env = { NODE_EXTRA_CA_CERTS: authority.file, HTTPS_PROXY: url, HTTP_PROXY: url }
      const { code, stdout, stderr } = await push(dir, to(one), { env })
      t.equal(code, wanted, stderr)
      t.notMatch(stdout + stderr, /hush/)
      if (wanted === 78) t.match(stderr, /407.*\nhint: .*proxy/)
    }
})

t.test('a proxy that is not there, says nothing or is none ends the push in time', async t => {
  const server = await startTls()
  const silent = await startHttpProxy(t, { silent: true })
  for (const [HTTPS_PROXY, wanted] of [
    ['http://127.0.0.1:1', 69],
    [`http://127.0.0.1:${silent.port}`, 69],
    ['http://u:hush@:::', 78],
    ['socks5://127.0.0.1:1', 78],
  ] as const) {
    const startedAt = Date.now()
    const { code, stdout, stderr } = await push(dir, [...to(server), '--timeout', '1'], { env: { HTTPS_PROXY } })
    t.equal(code, wanted, stderr)
    t.notMatch(stdout + stderr, /hush/)
    t.ok(Date.now() - startedAt < 12_000, `${HTTPS_PROXY}: ${Date.now() - startedAt} ms`)
  }
})

type HttpProxy = {
  readonly port: number
  /** Requests in order: `CONNECT host:port`, or the method and URL of a forwarded request. */
  readonly asked: readonly string[]
  /** Everything that clients sent unencrypted. */
  readonly heard: () => string
}

type HttpProxyOptions = {
  /** `user:password` that clients must send. Without it, the proxy answers 407. */
  readonly credentials?: string
  /** Whether the proxy accepts connections and never answers. */
  readonly silent?: boolean
}

async function startHttpProxy(t: Test, options: HttpProxyOptions = {}): Promise<HttpProxy> {
  const asked: string[] = []
  const heard: string[] = []
  const server = createServer((asking, answering) => forward(asking, answering, options))
  server.on('request', (asking: IncomingMessage) => {
    asked.push(`${asking.method} ${asking.url}`)
    heard.push(JSON.stringify(asking.headers))
  })
  server.on('connect', (asking: IncomingMessage, client: Socket) => {
    asked.push(`CONNECT ${asking.url}`)
    heard.push(JSON.stringify(asking.headers))
    if (options.silent === true) return
    if (!allowed(asking, options))
      return void client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n')
    const { hostname, port } = new URL(`http://${asking.url}`)
    const upstream = connect(Number(port), hostname, () => client.write('HTTP/1.1 200 OK\r\n\r\n'))
    t.teardown(async () => void upstream.destroy())
    upstream.on('error', () => client.destroy())
    client.pipe(upstream).pipe(client)
  })
  return { port: await listen(t, server), asked, heard: () => heard.join('\n') }
}

function allowed({ headers }: IncomingMessage, { credentials }: HttpProxyOptions): boolean {
  if (credentials === undefined) return true
  return headers['proxy-authorization'] === `Basic ${Buffer.from(credentials).toString('base64')}`
}

function forward(asking: IncomingMessage, answering: ServerResponse, options: HttpProxyOptions): void {
  if (!allowed(asking, options)) return void answering.writeHead(407).end()
  const { method, headers, url = '' } = asking
  const upstream = request(url, { method: method ?? 'GET', headers }, answer => {
    answering.writeHead(answer.statusCode ?? 0, answer.headers)
    answer.pipe(answering)
  })
  upstream.on('error', () => answering.destroy())
  asking.pipe(upstream)
}
