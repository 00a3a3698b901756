import t from 'tap'
import { parseDsn } from '../../../src/database/postgres/dsn.js'

const FULL = {
  PGHOST: 'db.example.com',
  PGPORT: '5433',
  PGDATABASE: 'bench',
  PGUSER: 'bench_ingest',
  PGPASSWORD: 'from the environment',
  PGSSLMODE: 'verify-full',
  PGSSLROOTCERT: '/ca.pem',
  PGCONNECT_TIMEOUT: '7',
  PGAPPNAME: 'nightly',
}

function parse(text: string, environment: Record<string, string>, insecureLocal = false): unknown {
  return parseDsn(text, { insecureLocal, environment })
}

t.test('an empty DSN takes everything from the environment', t => {
  for (const text of ['', '  ', 'postgres://', 'postgresql:///'])
    t.strictSame(
      parse(text, FULL),
      {
        ...{ host: 'db.example.com', port: 5433, database: 'bench', user: 'bench_ingest' },
        ...{ password: 'from the environment', sslrootcert: '/ca.pem', tls: 'verify-full' },
        ...{ applicationName: 'nightly', connectTimeoutMs: 7000 },
      },
      JSON.stringify(text),
    )
  t.match(parse('', { ...FULL, PGHOST: 'a,b', PGPORT: '1,2' }), { port: 1, others: [{ host: 'b', port: 2 }] })
  t.end()
})

t.test('the DSN takes precedence, and only missing settings are from the environment', t => {
  const dsn =
    'postgres://me:mine@h:1/d?sslmode=verify-full&sslrootcert=/mine.pem&connect_timeout=1&application_name=mine'
  t.strictSame(parse(dsn, FULL), parse(dsn, {}))
  t.strictSame(parse(dsn, { ...FULL, PGSERVICE: 'x', PGHOSTADDR: '192.0.2.1' }), parse(dsn, {}))
  t.match(parse('host=h user=me', FULL), { host: 'h', user: 'me', port: 5433, password: 'from the environment' })
  t.end()
})

t.test('an empty variable is ignored, an empty value in a keyword string is not', t => {
  t.match(parse('postgres://u@h/d', { PGPORT: '', PGSSLMODE: '', PGPASSWORD: '' }), { port: 5432, tls: 'verify-full' })
  t.notOk('password' in (parse(`host=h user=u dbname=d password=''`, FULL) as object))
  t.end()
})

t.test('a variable that weakens the connection or is unsupported is rejected by name', t => {
  const cases: readonly (readonly [Record<string, string>, RegExp])[] = [
    ...['disable', 'allow', 'prefer', 'require', 'verify-ca'].map(
      mode => [{ PGSSLMODE: mode }, new RegExp(`PGSSLMODE=${mode} is refused`)] as const,
    ),
    [{ PGSSLMODE: 'nonsense' }, /this PGSSLMODE is not known/],
    [{ PGHOST: '/var/run/postgresql' }, /PGHOST names a Unix socket/],
    [{ PGHOST: '@abstract' }, /PGHOST names a Unix socket/],
    [{ PGHOST: 'not a host' }, /host in PGHOST is neither/],
    [{ PGPORT: 'x' }, /PGPORT .*not a number/],
    [{ PGCONNECT_TIMEOUT: '0' }, /PGCONNECT_TIMEOUT is not a number of seconds/],
    [{ PGSERVICE: 'bench' }, /PGSERVICE .* is not supported/],
    [{ PGHOSTADDR: '192.0.2.1' }, /PGHOSTADDR .* is not supported/],
    [{ PGTARGETSESSIONATTRS: 'standby' }, /PGTARGETSESSIONATTRS=standby is refused/],
    [{ PGUSER: 'a\0b' }, /PGUSER holds a control character/],
  ]
  for (const [variables, message] of cases)
    t.throws(() => parse('', { ...FULL, ...variables }), { code: 'usage', message }, JSON.stringify(variables))
  t.throws(() => parse('postgres://u@h/d', { PGSSLMODE: 'require' }), { message: /PGSSLMODE=require is refused/ })
  t.match(parse('postgres://u@h/d?sslmode=verify-full', { PGSSLMODE: 'require' }), { tls: 'verify-full' })
  t.end()
})

t.test('the error for a missing setting names its variable', t => {
  for (const [missing, message] of [
    ['PGHOST', /no host/],
    ['PGUSER', /no user/],
    ['PGDATABASE', /no database/],
  ] as const)
    t.throws(() => parse('', { ...FULL, [missing]: '' }), { code: 'usage', message, hint: new RegExp(missing) })
  t.end()
})

t.test('on loopback the environment may turn TLS off, but only together with insecureLocal', t => {
  const local = { PGHOST: 'localhost', PGUSER: 'u', PGDATABASE: 'd', PGSSLMODE: 'disable' }
  t.match(parse('', local, true), { tls: 'off' })
  t.throws(() => parse('', local), { message: /PGSSLMODE=disable is refused/ })
  t.throws(() => parse('', { ...local, PGHOST: 'h' }, true), { message: /--insecure-local is for loopback/ })
  t.end()
})
