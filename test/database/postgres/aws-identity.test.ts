import t, { type Test } from 'tap'
import { mintToken, regionHint, takesToken } from '../../../src/database/postgres/rds-token.js'
import { parseDsn, type PostgresAddress } from '../../../src/database/postgres/dsn.js'
import { withPassword } from '../../../src/database/postgres/password.js'

const RDS = 'bench.abc123.eu-west-1.rds.amazonaws.com'
const NOW = new Date('2026-11-21T08:00:00Z')
const KEYS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-real-secret' }

type Given = { readonly dsn?: string; readonly region?: string; readonly environment?: Record<string, string> }

function addressOf({ dsn = `postgres://u@${RDS}/d`, region, environment = KEYS }: Given): PostgresAddress {
  return parseDsn(dsn, { insecureLocal: false, aws: { region, environment } })
}

/** The region and access key of a token. */
async function scopeOf(given: Given): Promise<string> {
  const address = addressOf(given)
  const token = await mintToken(address, address.aws!, NOW)
  const [key, , region] = new URLSearchParams(token).get('X-Amz-Credential')!.split('/')
  return `${key} ${region}`
}

/** Hides the machine's AWS files and metadata service from the credential chain, which reads the real environment. */
function isolate(t: Test, files: Record<string, string> = {}): void {
  // Every test has its own files, because the SDK reads each file only once.
  const dir = t.testdir(files)
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
  process.env['AWS_EC2_METADATA_DISABLED'] = 'true'
  process.env['AWS_CONFIG_FILE'] = `${dir}/config`
  process.env['AWS_SHARED_CREDENTIALS_FILE'] = `${dir}/credentials`
}

t.before(() => isolate(t))

t.test('the region is from the flag, otherwise the environment, otherwise the host name', async t => {
  t.equal(await scopeOf({}), 'AKIDEXAMPLE eu-west-1')
  t.equal(await scopeOf({ environment: { ...KEYS, AWS_DEFAULT_REGION: 'us-west-2' } }), 'AKIDEXAMPLE us-west-2')
  const both = { ...KEYS, AWS_DEFAULT_REGION: 'us-west-2', AWS_REGION: 'us-east-1' }
  t.equal(await scopeOf({ environment: both }), 'AKIDEXAMPLE us-east-1')
  t.equal(await scopeOf({ environment: both, region: 'ap-south-1' }), 'AKIDEXAMPLE ap-south-1')
  for (const host of ['db.cluster-abc.sa-east-1', 'db.proxy-abc.sa-east-1', 'db.abc.SA-EAST-1'])
    t.equal(await scopeOf({ dsn: `postgres://u@${host}.rds.amazonaws.com/d` }), 'AKIDEXAMPLE sa-east-1')
  t.equal(await scopeOf({ dsn: 'postgres://u@db.abc.cn-north-1.rds.amazonaws.com.cn/d' }), 'AKIDEXAMPLE cn-north-1')
})

t.test('without a region the error asks for one', async t => {
  const address = parseDsn('postgres://u@db.example.com/d', { insecureLocal: false, aws: { environment: KEYS } })
  await t.rejects(mintToken(address, address.aws!, NOW), {
    code: 'config_invalid',
    message: /no AWS region/,
    hint: /--region/,
  })
})

t.test('a token is used for RDS hosts or if a region is given, and never without TLS', t => {
  t.ok(takesToken(addressOf({})))
  t.notOk(takesToken(addressOf({ dsn: 'postgres://u@db.example.com/d' })))
  t.ok(takesToken(addressOf({ dsn: 'postgres://u@db.example.com/d', region: 'eu-west-1' })))
  const local = parseDsn('postgres://u@localhost/d', { insecureLocal: true, aws: { region: 'x', environment: KEYS } })
  t.notOk(takesToken(local))
  t.end()
})

t.test('a given password or one from a password file takes precedence over a token', async t => {
  const passfile = `${t.testdir({ pass: '' })}/pass`
  const { chmod, writeFile } = await import('node:fs/promises')
  await writeFile(passfile, `${RDS}:*:d:u:from the file\n`)
  await chmod(passfile, 0o600)
  const now = (): Date => NOW
  t.equal((await withPassword(addressOf({ dsn: `postgres://u:given@${RDS}/d` }), now)).password, 'given')
  const address = addressOf({ dsn: `postgres://u@${RDS}/d?passfile=${passfile}` })
  t.equal((await withPassword(address, now)).password, 'from the file')
  t.match((await withPassword({ ...address, user: 'other' }, now)).password, /X-Amz-Signature=/)
})

t.test('shared files and profiles are read through AWS’s credential chain', async t => {
  isolate(t, {
    config: '[profile nightly]\nregion = eu-north-1\n[default]\nregion = eu-south-2\n',
    credentials:
      '[nightly]\naws_access_key_id = AKIDNIGHTLY\naws_secret_access_key = x\n[default]\naws_access_key_id = AKIDDEFAULT\naws_secret_access_key = x\n',
  })
  t.equal(await scopeOf({ environment: {} }), 'AKIDDEFAULT eu-south-2')
  process.env['AWS_PROFILE'] = 'nightly'
  t.equal(await scopeOf({ environment: { ...KEYS, AWS_PROFILE: 'nightly' } }), 'AKIDNIGHTLY eu-north-1')
})

t.test('without credentials the error says how to give them, and is not retried', async t => {
  isolate(t)
  await t.rejects(scopeOf({ environment: {}, region: 'af-south-1' }), {
    ...{ code: 'auth_failed', message: /no credentials/, hint: /PGPASSWORD.*configure-aws-credentials/ },
  })
})

t.test('a rejected token for another region than the host’s gives a hint', async t => {
  const address = addressOf({ region: 'us-east-1' })
  t.match(await regionHint(address, address.aws!), /made for us-east-1, the host name says eu-west-1: give --region/)
  t.equal(await regionHint(addressOf({}), addressOf({}).aws!), undefined)
})
