import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import { connect, createServer as createPlainServer, type AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import t from 'tap'
import { certificateFinding, presentedBy, type Presented } from '../../src/doctor/certificate.js'
import { makeAuthority, makeCertificate } from '../fixtures/certificates.js'

const DAY_MS = 86_400_000
const dir = t.testdir()
const authority = await makeAuthority(dir)
const { certFile, keyFile } = await makeCertificate(dir, { authority })
const server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) })
server.listen(0, '127.0.0.1')
await once(server, 'listening')
t.teardown(() => server.close())

async function present(host: string): Promise<Presented> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  return presentedBy(socket, host, { ca: authority.cert })
}

/** The certificate ends in ten days. */
const judged = async (host: string, days: number) =>
  certificateFinding(await present(host), { now: new Date(Date.now() + days * DAY_MS), trustHint: 'trust it' })

t.test('a certificate that ends soon warns, and one that does not is ok', async t => {
  t.match(await judged('localhost', 0), { status: 'ok', fact: /\(9 days\)$/ })
  t.match(await judged('localhost', 2), { status: 'ok', fact: /\(7 days\)$/ })
  t.match(await judged('localhost', 3), { status: 'warn', fact: /\(6 days\)$/, hint: /^renew it/ })
})

t.test('the chain goes up to the authority that is trusted, and no further', async t => {
  const { chain, problem } = await present('127.0.0.1')
  t.equal(problem, undefined)
  t.equal(chain.length, 2)
})

t.test('another host is a problem, by its name or its address', async t => {
  t.match(await judged('db.example.com', 0), {
    status: 'fail',
    fact: /^its certificate is for .*localhost.*, not for db\.ex/,
  })
  t.match(await judged('192.0.2.1', 0), { status: 'fail', fact: /not for 192\.0\.2\.1 \(/ })
})

t.test('a server that hangs up during the handshake is an error', async t => {
  const rude = createPlainServer(socket => socket.once('data', () => socket.destroy()))
  rude.listen(0, '127.0.0.1')
  await once(rude, 'listening')
  t.teardown(() => rude.close())
  await t.rejects(presentedBy(connect((rude.address() as AddressInfo).port, '127.0.0.1'), 'localhost', {}))
})
