import t, { type Test } from 'tap'
import { IngestError } from '../../../src/errors.js'
import { describeAddress, parseDsn } from '../../../src/database/postgres/dsn.js'

const STRICT = { insecureLocal: false }
const LOCAL = { insecureLocal: true }
const SECRET = 'hunter2secret'

/** Asserts that an error is a usage error, matches, and contains the secret nowhere. */
function refuses(t: Test, dsn: string, pattern: RegExp, options = STRICT): void {
  try {
    parseDsn(dsn, options)
    t.fail(`accepted ${dsn}`)
  } catch (error) {
    if (!(error instanceof IngestError)) throw error
    t.equal(error.code, 'usage', dsn)
    t.match(error.message, pattern, dsn)
    t.notMatch(
      `${error.message} ${error.hint} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`,
      SECRET,
      dsn,
    )
  }
}

t.test('every part of a full URL is read', t => {
  const address = parseDsn(
    'postgresql://bench%40ci:p%40ss%2F%3A%25@db.example.com:6432/bench%20db' +
      '?sslmode=verify-full&sslrootcert=/etc/ca%20file.pem&application_name=ci+job&connect_timeout=3',
    STRICT,
  )
  t.strictSame(address, {
    host: 'db.example.com',
    port: 6432,
    user: 'bench@ci',
    password: 'p@ss/:%',
    database: 'bench db',
    sslrootcert: '/etc/ca file.pem',
    tls: 'verify-full',
    applicationName: 'ci+job',
    connectTimeoutMs: 3000,
  })
  t.end()
})

t.test('missing settings have strict or usual defaults', t => {
  t.strictSame(parseDsn(' postgres://u@db.example.com/bench\n', STRICT), {
    host: 'db.example.com',
    port: 5432,
    user: 'u',
    database: 'bench',
    tls: 'verify-full',
    applicationName: 'vortex-ingest',
  })
  t.notOk('password' in parseDsn('postgres://u:@h/d', STRICT), 'an empty password is none')
  t.notOk('sslrootcert' in parseDsn('postgres://u@h/d?sslrootcert=system', STRICT), 'system is the default')
  t.equal(parseDsn('postgres://u@h:/d', STRICT).port, 5432)
  t.end()
})

t.test('an IPv6 host loses its brackets and gets them back in messages', t => {
  const address = parseDsn(`postgres://u:${SECRET}@[2001:db8::1]:5433/d`, STRICT)
  t.equal(address.host, '2001:db8::1')
  t.equal(describeAddress(address), 'postgres://u@[2001:db8::1]:5433/d')
  t.end()
})

t.test('a weaker sslmode is refused by name', t => {
  for (const mode of ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'no-verify']) {
    refuses(t, `postgres://u:${SECRET}@h/d?sslmode=${mode}`, new RegExp(`sslmode=${mode} is refused`))
    refuses(t, `postgres://u:${SECRET}@localhost/d?sslmode=${mode}`, new RegExp(`sslmode=${mode} is refused`))
  }
  refuses(t, `postgres://u:${SECRET}@h/d?sslmode=verify_full`, /sslmode .* not known/)
  refuses(t, `postgres://u:${SECRET}@h/d?sslmode=`, /sslmode .* not known/)
  refuses(t, `postgres://u:${SECRET}@h/d?sslmode=verify-full&sslmode=disable`, /gives sslmode twice/)
  t.end()
})

t.test('insecureLocal turns TLS off for loopback only', t => {
  for (const host of ['127.0.0.1', '127.9.8.7', 'localhost', 'LOCALHOST', '[::1]', '[0:0:0:0:0:0:0:1]']) {
    t.equal(parseDsn(`postgres://u@${host}/d`, LOCAL).tls, 'off', host)
    t.equal(parseDsn(`postgres://u@${host}/d?sslmode=disable`, LOCAL).tls, 'off', host)
    t.equal(parseDsn(`postgres://u@${host}/d`, STRICT).tls, 'verify-full', host)
  }
  for (const host of [
    '10.0.0.1',
    '128.0.0.1',
    'localhost.example.com',
    '127.1',
    '0x7f.0.0.1',
    '[::2]',
    '[::ffff:1.2.3.4]',
  ]) {
    refuses(t, `postgres://u:${SECRET}@${host}/d`, /--insecure-local is for loopback/, LOCAL)
    refuses(t, `postgres://u:${SECRET}@${host}/d?sslmode=verify-full`, /--insecure-local is for loopback/, LOCAL)
  }
  t.end()
})

t.test('insecureLocal does not overrule a URL that asks for TLS', t => {
  t.equal(parseDsn('postgres://u@localhost/d?sslmode=verify-full', LOCAL).tls, 'verify-full')
  t.equal(parseDsn('postgres://u@localhost/d?sslrootcert=ca.pem', LOCAL).tls, 'verify-full')
  t.equal(parseDsn('postgres://u@localhost/d?sslrootcert=ca.pem&sslmode=disable', LOCAL).tls, 'off')
  for (const mode of ['allow', 'prefer', 'require', 'verify-ca', 'no-verify']) {
    refuses(t, `postgres://u@localhost/d?sslmode=${mode}`, new RegExp(`sslmode=${mode} is refused`), LOCAL)
  }
  t.end()
})

t.test('an unknown parameter is rejected by name', t => {
  for (const name of ['sslmod', 'SSLMODE', 'ssl', 'options', 'port', 'password', 'sslcert', 'uselibpqcompat']) {
    refuses(t, `postgres://u@h/d?${name}=${SECRET}`, new RegExp(`parameter ${name} `))
  }
  refuses(t, `postgres://u@h/d?ssl%6dode=${SECRET}`, /a parameter in the Postgres URL is not known/)
  refuses(t, 'postgres://u@h/d?connect_timeout=0', /connect_timeout/)
  refuses(t, 'postgres://u@h/d?connect_timeout=1e3', /connect_timeout/)
  t.end()
})

t.test('a host must be named and on the network', t => {
  refuses(t, 'postgres:///db', /names no host/)
  refuses(t, `postgres://u:${SECRET}@/db`, /names no host/)
  refuses(t, `postgres://u:${SECRET}@:5432/db`, /names no host/)
  refuses(t, `postgres://u:${SECRET}@%2Ftmp/db`, /Unix socket/)
  refuses(t, `postgres://u:${SECRET}@%2ftmp/db`, /Unix socket/)
  refuses(t, `postgres://u:${SECRET}@h/db?host=/tmp`, /parameter host .* refused/)
  refuses(t, `postgres://u:${SECRET}@h1,/db`, /names no host/)
  refuses(t, `postgres://u:${SECRET}@h1,%2Ftmp/db`, /Unix socket/)
  refuses(t, `postgres://u:${SECRET}@[::1/db`, /host/)
  refuses(t, `postgres://u:${SECRET}@[fe80::1%25eth0]/db`, /neither a name nor an IP/)
  refuses(t, `postgres://u:${SECRET}@h%00x/db`, /host/)
  t.end()
})

t.test('user, database and port must be valid', t => {
  refuses(t, 'postgres://h/db', /names no user/)
  refuses(t, `postgres://:${SECRET}@h/db`, /names no user/)
  refuses(t, `postgres://u:${SECRET}@h`, /names no database/)
  refuses(t, `postgres://u:${SECRET}@h/`, /names no database/)
  for (const port of ['0', '65536', 'x', '-1', '5432x']) refuses(t, `postgres://u:${SECRET}@h:${port}/d`, /port/)
  t.end()
})

t.test('the error for text that is not a DSN shows the form', t => {
  refuses(t, `mysql://u:${SECRET}@h/d`, /starts with postgres:/)
  refuses(t, `postgres:u:${SECRET}@h/d`, /starts with postgres:/)
  refuses(t, SECRET, /starts with postgres:/)
  t.end()
})

t.test('several hosts keep their order, with a port for each or one for all', t => {
  const { host, port, others, attributes } = parseDsn('postgres://u@h1:5433,[::1],h3:1/d', STRICT)
  t.strictSame(
    [{ host, port }, ...(others ?? [])],
    [
      { host: 'h1', port: 5433 },
      { host: '::1', port: 5432 },
      { host: 'h3', port: 1 },
    ],
  )
  t.equal(attributes, 'read-write', 'a push wants one that takes writes')
  const address = parseDsn('postgres://u@h1:5433,[::1],h3:1/d', STRICT)
  t.equal(describeAddress(address), 'postgres://u@h1:5433,[::1]:5432,h3:1/d')
  t.equal(parseDsn('postgres://u@h1,h2/d?target_session_attrs=any', STRICT).attributes, 'any')
  for (const value of ['read-only', 'standby', 'prefer-standby'])
    refuses(
      t,
      `postgres://u@h1,h2/d?target_session_attrs=${value}`,
      new RegExp(`target_session_attrs=${value} is refused`),
    )
  refuses(t, `postgres://u@h1,h2/d?target_session_attrs=${SECRET}`, /target_session_attrs is not known/)
  refuses(t, 'postgres://u@127.0.0.1,h2/d', /--insecure-local is for loopback addresses, not for h2/, LOCAL)
  t.end()
})

t.test('an RDS host uses the authorities of RDS, unless the DSN names others', t => {
  const rds = 'bench.abc.eu-west-1.rds.amazonaws.com'
  t.equal(parseDsn(`postgres://u@${rds}/d`, STRICT).sslrootcert, 'rds')
  t.equal(parseDsn(`postgres://u@${rds}.cn/d`, STRICT).sslrootcert, 'rds')
  t.equal(parseDsn(`postgres://u@${rds}/d?sslrootcert=ca.pem`, STRICT).sslrootcert, 'ca.pem')
  t.equal(parseDsn(`postgres://u@${rds}/d?sslrootcert=system`, STRICT).sslrootcert, undefined)
  t.equal(parseDsn('postgres://u@db.example.com/d?sslrootcert=rds', STRICT).sslrootcert, 'rds')
  for (const other of [`${rds}.example.com`, 'rds.amazonaws.com', `${rds},db.example.com`])
    t.equal(parseDsn(`postgres://u@${other}/d`, STRICT).sslrootcert, undefined, other)
  t.end()
})

t.test('a password that is not percent-encoded is refused and never shown', t => {
  for (const character of ['@', '/', '?', '#', '%', ' ', '\n', '\t', '%zz', '%ff', '%00', '?x=']) {
    refuses(t, `postgres://u:${SECRET}${character}${SECRET}@h/d`, /cannot be read|not percent-encoded/)
    refuses(t, `postgres://u:12${character}${SECRET}@h/d`, /cannot be read|not percent-encoded/)
  }
  t.end()
})

t.test('a description never contains the password', t => {
  const address = parseDsn(`postgres://u%2F:${SECRET}@h/d%20b?sslrootcert=x`, STRICT)
  t.equal(describeAddress(address), 'postgres://u%2F@h:5432/d%20b')
  t.end()
})
