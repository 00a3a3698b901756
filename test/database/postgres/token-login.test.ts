/** A token as a password, on a real server: the role's password is the token that a fixed time gives. */

import t from 'tap'
import { connectPostgres } from '../../../src/database/postgres/connect.js'
import { parseDsn, type PostgresAddress } from '../../../src/database/postgres/dsn.js'
import { rdsToken } from '../../../src/database/postgres/rds-token.js'
import { startPostgres } from '../../fixtures/postgres.js'

const NOW = new Date('2026-11-21T08:00:00Z')
const KEYS = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'the-secret-key',
  AWS_SESSION_TOKEN: 'the-session',
}
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'the-secret-key', sessionToken: 'the-session' }

const server = await startPostgres(t, { tls: true })
const token = rdsToken({
  ...{ host: server.host, port: server.port, user: 'token_user', region: 'eu-west-1' },
  ...{ credentials, now: NOW },
})
await server.sql(`CREATE ROLE token_user LOGIN PASSWORD '${token}'`)

function address(region: string): PostgresAddress {
  const dsn = server.url('postgres', 'token_user').replace(`:${server.password}`, '')
  return parseDsn(dsn, { insecureLocal: false, aws: { region, environment: KEYS } })
}

t.test('without a password the token of the moment logs in', async t => {
  const session = await connectPostgres(address('eu-west-1'), { now: () => NOW })
  t.strictSame(await session.query('SELECT current_user::text AS role'), [{ role: 'token_user' }])
  t.notMatch(session.description, /X-Amz/)
  await session.close()
})

t.test('each connection has a token of its own time', async t => {
  const times = [new Date('2020-01-01T00:00:00Z'), NOW]
  const now = (): Date => times.shift()!
  await t.rejects(connectPostgres(address('eu-west-1'), { now }), { code: 'auth_failed' })
  await (await connectPostgres(address('eu-west-1'), { now })).close()
})

t.test('a token that is refused is in no message', async t => {
  const error: unknown = await connectPostgres(address('us-east-1'), { now: () => NOW }).catch(
    (error: unknown) => error,
  )
  t.match(error, { code: 'auth_failed', message: /password authentication failed/ })
  const { message, stack, cause } = error as Error
  t.notMatch(`${message} ${stack} ${String(cause)} ${JSON.stringify(error)}`, /X-Amz|the-secret-key|the-session|AKID/)
})
