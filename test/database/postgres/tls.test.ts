import t, { type Test } from 'tap'
import { once } from 'node:events'
import { X509Certificate } from 'node:crypto'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { IngestError, type ErrorCode } from '../../../src/errors.js'
import { connectPostgres } from '../../../src/database/postgres/connect.js'
import { parseDsn } from '../../../src/database/postgres/dsn.js'
import { readAuthorities } from '../../../src/database/postgres/tls.js'
import { makeAuthority, makeCertificate, type CertificateOptions } from '../../fixtures/certificates.js'
import { startPostgres } from '../../fixtures/postgres.js'
import { startTcpProxy } from '../../fixtures/tcp-proxy.js'

const STRICT = { insecureLocal: false }

type Expected = { readonly code: ErrorCode; readonly says: RegExp; readonly hint?: RegExp }

async function refuses(t: Test, dsn: string, { code, says, hint = /./ }: Expected): Promise<void> {
  const error: unknown = await connectPostgres(parseDsn(dsn, STRICT)).then(
    session => session.close(),
    (error: unknown) => error,
  )
  if (!(error instanceof IngestError)) return t.fail(`connected to ${dsn}`) as never
  t.equal(error.code, code, error.message)
  t.match(error.message, says)
  t.match(error.hint, hint)
  t.notMatch(`${error.message} ${error.hint} ${error.stack}`, new URL(dsn).password)
}

t.test('a server with a valid certificate', async t => {
  const server = await startPostgres(t, { tls: true })

  for (const host of ['127.0.0.1', 'localhost']) {
    await t.test(`is reached as ${host}, encrypted with TLS 1.2 or newer`, async t => {
      const session = await connectPostgres(parseDsn(server.adminUrl.replace('127.0.0.1', host), STRICT))
      const [row] = await session.query('SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
      await session.close()
      t.match(row, { ssl: true, version: /^TLSv1\.[23]$/ })
    })
  }

  await t.test('is refused without its authority', async t => {
    const dsn = server.adminUrl.replace(/\?.*/, '')
    await refuses(t, dsn, { code: 'target_misconfigured', says: /unknown authority/, hint: /sslrootcert=FILE/ })
  })

  await t.test('is refused with another authority', async t => {
    const other = await makeAuthority(t.testdir(), 'other')
    const dsn = server.adminUrl.replace(/sslrootcert=.*/, `sslrootcert=${encodeURIComponent(other.file)}`)
    await refuses(t, dsn, { code: 'target_misconfigured', says: /unknown authority/, hint: /sslrootcert=FILE/ })
  })

  await t.test('is refused with the authorities of RDS, which are real ones', async t => {
    const dsn = server.adminUrl.replace(/sslrootcert=.*/, 'sslrootcert=rds')
    await refuses(t, dsn, { code: 'target_misconfigured', says: /unknown authority/, hint: /sslrootcert=FILE/ })
    const authorities = await readAuthorities(parseDsn(dsn, STRICT))
    const names = [authorities ?? []].flat().map(text => new X509Certificate(text).subject)
    for (const name of [
      'Amazon RDS eu-west-1 Root CA RSA2048 G1',
      'Amazon RDS us-east-1 Root CA ECC384 G1',
      'Amazon Root CA 1',
    ])
      t.ok(
        names.some(subject => subject.includes(`CN=${name}`)),
        name,
      )
  })

  await t.test('is refused when the file of the authority is missing, empty or something else', async t => {
    const dir = t.testdir({ 'empty.pem': '', 'text.pem': 'hello' })
    for (const name of ['missing.pem', 'empty.pem', 'text.pem', '.']) {
      const dsn = server.adminUrl.replace(/sslrootcert=.*/, `sslrootcert=${encodeURIComponent(join(dir, name))}`)
      await refuses(t, dsn, { code: 'config_invalid', says: /sslrootcert/, hint: /PEM/ })
    }
  })

  await t.test('is refused when a proxy in between says there is no TLS', async t => {
    const proxy = await startProxyThatDeniesTls(t)
    const dsn = server.adminUrl.replace(`:${server.port}/`, `:${proxy}/`)
    await refuses(t, dsn, { code: 'target_misconfigured', says: /no TLS/, hint: /ssl/ })
  })

  await t.test('is verified through a proxy as well, since the host is what counts', async t => {
    const proxy = await startTcpProxy(t, { port: server.port })
    const session = await connectPostgres(
      parseDsn(server.adminUrl.replace(`:${server.port}/`, `:${proxy.port}/`), STRICT),
    )
    t.strictSame(await session.query('SELECT 1 AS one'), [{ one: 1 }])
    await session.close()
  })
})

t.test('a server with a wrong certificate is refused', async t => {
  const dir = t.testdir()
  const authority = await makeAuthority(dir)
  const cases: readonly (readonly [string, CertificateOptions, Expected])[] = [
    ['self-signed', {}, { code: 'target_misconfigured', says: /self-signed/, hint: /sslrootcert=FILE/ }],
    ['expired', { authority, expired: true }, { code: 'target_misconfigured', says: /expired/, hint: /clock/ }],
    [
      'for another name',
      { authority, hosts: ['db.example.com'] },
      { code: 'target_misconfigured', says: /127\.0\.0\.1.*certificate|does not match/, hint: /name/ },
    ],
    [
      'for another IP address',
      { authority, hosts: ['localhost', '127.0.0.2'] },
      { code: 'target_misconfigured', says: /IP: 127\.0\.0\.1 is not in/, hint: /name/ },
    ],
  ]
  for (const [name, options, expected] of cases) {
    await t.test(name, async t => {
      const server = await startPostgres(t, {
        tls: await makeCertificate(dir, { name: name.replace(/\W/g, '-'), ...options }),
      })
      const dsn = `${server.adminUrl}?sslrootcert=${encodeURIComponent(authority.file)}`
      await refuses(t, dsn, expected)
    })
  }
})

t.test('a server that only speaks TLS 1.1 is refused', async t => {
  const server = await startPostgres(t, {
    tls: true,
    settings: { ssl_min_protocol_version: 'TLSv1.1', ssl_max_protocol_version: 'TLSv1.1' },
  })
  await refuses(t, server.adminUrl, { code: 'target_misconfigured', says: /protocol version/, hint: /TLS 1\.2/ })
})

t.test('a server without TLS', async t => {
  const server = await startPostgres(t)
  const dsn = server.adminUrl.replace('?sslmode=disable', '')

  await t.test('is refused', async t => {
    await refuses(t, dsn, { code: 'target_misconfigured', says: /no TLS/, hint: /turn on `ssl`/ })
  })

  await t.test('is reached on loopback with insecureLocal', async t => {
    const session = await connectPostgres(parseDsn(dsn, { insecureLocal: true }))
    t.strictSame(await session.query('SELECT 1 AS one'), [{ one: 1 }])
    await session.close()
  })
})

t.test('something that is not Postgres is refused', async t => {
  const port = await listen(t, socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  const dsn = `postgres://u:secret@127.0.0.1:${port}/d`
  await refuses(t, dsn, { code: 'target_misconfigured', says: /not Postgres/, hint: /port/ })
})

t.test('bytes smuggled in before TLS are refused', async t => {
  const port = await listen(t, socket => socket.once('data', () => socket.write('SRogue')))
  await refuses(t, `postgres://u:secret@127.0.0.1:${port}/d`, { code: 'target_misconfigured', says: /not Postgres/ })
})

async function startProxyThatDeniesTls(t: Test): Promise<number> {
  return listen(t, socket => socket.once('data', () => socket.write('N')))
}

async function listen(t: Test, onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer(onConnection).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}
