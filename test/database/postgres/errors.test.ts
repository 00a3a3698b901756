import t from 'tap'
import { IngestError, type ErrorCode } from '../../../src/errors.js'
import { connectPostgres } from '../../../src/database/postgres/connect.js'
import { parseDsn } from '../../../src/database/postgres/dsn.js'
import { toPostgresError } from '../../../src/database/postgres/errors.js'
import { startPostgres } from '../../fixtures/postgres.js'

const address = parseDsn('postgres://u:hunter2@h/d', { insecureLocal: false })
const server = await startPostgres(t, { tls: true })
await server.sql(`
  CREATE ROLE reader LOGIN PASSWORD '${server.password}';
  CREATE ROLE single LOGIN CONNECTION LIMIT 0 PASSWORD '${server.password}';
  CREATE TABLE public.locked (id int PRIMARY KEY)`)

async function failureOf(act: Promise<unknown>): Promise<IngestError> {
  const error: unknown = await act.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (error instanceof IngestError) return error
  throw new Error('did not fail', { cause: error })
}

const connecting = (dsn: string) => failureOf(connectPostgres(parseDsn(dsn, { insecureLocal: false })))

t.test('a failed connection reports the reason, the address and a hint', async t => {
  const cases: readonly (readonly [string, ErrorCode, RegExp, RegExp])[] = [
    [
      server.adminUrl.replace(server.password, 'wrong-one'),
      'auth_failed',
      /password authentication failed/,
      /password/,
    ],
    [server.adminUrl.replace(`:${server.password}`, ''), 'auth_failed', /asks for a password/, /password/],
    [server.url('postgres', 'nobody-here'), 'auth_failed', /authentication failed/, /user/],
    [server.url('missing'), 'target_misconfigured', /database "missing" does not exist/, /CREATE DATABASE/],
    [server.url('postgres', 'single'), 'target_unreachable', /too many connections/, /max_connections/],
    [server.adminUrl.replace(`:${server.port}`, ':1'), 'target_unreachable', /refused/, /port/],
    ['postgres://u:hunter2@name.invalid/d', 'target_unreachable', /host name/, /host/],
  ]
  for (const [dsn, code, says, hint] of cases) {
    const error = await connecting(dsn)
    const { username, host, password } = new URL(dsn)
    t.equal(error.code, code, error.message)
    t.match(error.message, says)
    t.match(error.message, `${username}@${host}`)
    t.match(error.hint, hint)
    t.notMatch(error.message, '\n')
    if (password) t.notMatch(`${error.message} ${error.hint} ${error.stack} ${String(error.cause)}`, password)
  }
  t.equal((await connecting(server.adminUrl.replace(server.password, 'wrong'))).exitCode, 77)
})

t.test('a rejected password is in no message, neither decoded nor encoded', async t => {
  const error = await connecting(server.adminUrl.replace(server.password, 'p%40ss%2Fword'))
  t.notMatch(`${error.message} ${error.stack}`, /p(%40|@)ss/)
})

t.test('a failed statement gets its error code and hint', async t => {
  const reader = await connectPostgres(parseDsn(server.url('postgres', 'reader'), { insecureLocal: false }))
  const admin = await connectPostgres(parseDsn(server.adminUrl, { insecureLocal: false }))
  await admin.execute('INSERT INTO locked VALUES (1)')
  const cases: readonly (readonly [string, ErrorCode, RegExp])[] = [
    ['SELECT * FROM missing', 'target_misconfigured', /migrate <dsn>/],
    ['SELECT missing FROM locked', 'target_misconfigured', /migrate <dsn>/],
    ['CREATE TABLE missing.locked ()', 'target_misconfigured', /migrate <dsn>/],
    ['INSERT INTO locked VALUES (2) ON CONFLICT ((id + 1)) DO NOTHING', 'target_misconfigured', /migrate <dsn>/],
    ['SELECT FROM elsewhere.public.locked', 'target_misconfigured', /must be a PostgreSQL/],
    [`DO $$ BEGIN RAISE 'no room' USING HINT = 'Make room.'; END $$`, 'target_refused', /^Make room\.$/],
    ['BEGIN READ ONLY; DELETE FROM locked', 'target_misconfigured', /replica/],
    ['ROLLBACK; SET statement_timeout = 20; SELECT pg_sleep(5)', 'target_failed', /statement_timeout/],
  ]
  for (const [text, code, hint] of cases) t.match(await failureOf(admin.execute(text)), { code, hint }, text)
  t.match(await failureOf(admin.query('INSERT INTO locked VALUES ($1)', [1])), {
    code: 'target_refused',
    message: /duplicate key.*Key \(id\)=\(1\) already exists/,
  })
  t.match(await failureOf(reader.query('SELECT * FROM locked')), { code: 'auth_failed', hint: /GRANT/ })
  await reader.close()
  await admin.close()
})

t.test('each kind of failure has its code', t => {
  const cases: readonly (readonly [Record<string, string>, ErrorCode])[] = [
    [{ code: 'ECONNREFUSED' }, 'target_unreachable'],
    [{ code: 'ENOTFOUND' }, 'target_unreachable'],
    [{ code: 'ETIMEDOUT' }, 'target_unreachable'],
    [{ code: 'ECONNRESET' }, 'target_unreachable'],
    [{ code: 'EPIPE' }, 'target_unreachable'],
    [{ message: 'Connection terminated unexpectedly' }, 'target_unreachable'],
    [{ message: 'Client has encountered a connection error and is not queryable' }, 'target_unreachable'],
    [{ message: 'timeout expired' }, 'target_unreachable'],
    [{ code: '57P01' }, 'target_unreachable'],
    [{ code: '57P03' }, 'target_unreachable'],
    [{ code: '53300' }, 'target_unreachable'],
    [{ code: '08006' }, 'target_unreachable'],
    [{ code: '08P01', message: 'query_wait_timeout' }, 'target_unreachable'],
    [{ code: '08P01', message: 'SASL authentication failed' }, 'auth_failed'],
    [{ code: '08P01', message: 'no such database: bench' }, 'target_misconfigured'],
    [{ code: '28P01' }, 'auth_failed'],
    [{ code: '28000' }, 'auth_failed'],
    [{ code: '42501' }, 'auth_failed'],
    [{ message: 'SASL: SCRAM-SERVER-FINAL-MESSAGE: server signature does not match' }, 'auth_failed'],
    [{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'target_misconfigured'],
    [{ code: 'CERT_NOT_YET_VALID' }, 'target_misconfigured'],
    [{ code: 'CERT_REVOKED' }, 'target_misconfigured'],
    [{ code: 'ERR_SSL_UNSUPPORTED_PROTOCOL' }, 'target_misconfigured'],
    [{ code: '3F000' }, 'target_misconfigured'],
    [{ code: '25006' }, 'target_misconfigured'],
    [{ code: '40001' }, 'target_busy'],
    [{ code: '53100' }, 'target_failed'],
    [{ code: '57014' }, 'target_failed'],
    [{ code: '53200' }, 'target_failed'],
    [{ code: '58030' }, 'target_failed'],
    [{ code: '40P01' }, 'target_busy'],
    [{ code: '55P03' }, 'target_busy'],
    [{ code: '22001' }, 'bad_data'],
    [{ code: '22003' }, 'bad_data'],
    [{ code: '22P02' }, 'bad_data'],
    [{ code: '22023' }, 'target_misconfigured'],
    [{ code: '54000' }, 'bad_data'],
    [{ code: '23502' }, 'target_refused'],
    [{ code: '23514' }, 'target_refused'],
    [{ code: '44000' }, 'target_refused'],
    [{ code: '55000' }, 'target_refused'],
    [{ code: 'P0001' }, 'target_refused'],
    [{ code: '42804' }, 'target_misconfigured'],
    [{ code: '42P17' }, 'target_misconfigured'],
    [{ code: 'XX000' }, 'target_failed'],
    [{ message: 'nobody knows' }, 'target_failed'],
  ]
  for (const [fields, code] of cases) {
    const error = toPostgresError(Object.assign(new Error(fields.message ?? 'said so'), fields), address)
    t.equal(error.code, code, JSON.stringify(fields))
    t.match(error.message, /^postgres:\/\/u@h:5432\/d: ./)
  }
  t.end()
})

t.test("a server's message is shown in one line without secrets", t => {
  const cause = new Error('bad\n  thing: hunter2 and postgres://x:other@y/z')
  t.equal(toPostgresError(cause, address).message, 'postgres://u@h:5432/d: bad thing: *** and postgres://x:***@y/z')
  t.equal(toPostgresError(cause, address).cause, cause)
  const advised = toPostgresError(Object.assign(cause, { hint: 'not hunter2,\nbut another' }), address)
  t.equal(advised.hint, 'not ***, but another')
  t.end()
})

t.test('an IngestError is returned unchanged', t => {
  const error = new IngestError('interrupted', 'interrupted')
  t.equal(toPostgresError(error, address), error)
  t.end()
})
