/** The program as it is installed, without a password: AWS's credential chain is asked, and nothing of it is shown. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { startPostgres } from '../fixtures/postgres.js'
import { startMigratedPostgres } from './fixtures/database.js'
import { query, writeCommit } from '../fixtures/records.js'

const { server, createDatabase } = await startMigratedPostgres(t)
const KEY = 'AKIDOFTHETEST'
const SECRETS = /hush-hush|AKIDOFTHETEST|X-Amz|the-session/

t.test('a push without a password makes a token, from keys or from shared files, and shows nothing of it', async t => {
  const cwd = t.testdir({ 'one.jsonl': query() })
  const shared = join(cwd, 'credentials')
  writeFileSync(shared, `[ci]\naws_access_key_id = ${KEY}\naws_secret_access_key = hush-hush\n`)
  const { url } = await createDatabase()
  const dsn = url.replace(`:${server.password}`, '')
  const nothing = { AWS_EC2_METADATA_DISABLED: 'true', AWS_CONFIG_FILE: '/dev/null' }
  const push = async (env: Record<string, string>, ...more: string[]): Promise<CliResult> =>
    runCli(['push', 'one.jsonl', '--commit', writeCommit(cwd), '--postgres', dsn, ...more], {
      cwd,
      env: { ...nothing, ...env },
    })
  const keys = { AWS_ACCESS_KEY_ID: KEY, AWS_SECRET_ACCESS_KEY: 'hush-hush', AWS_SESSION_TOKEN: 'the-session' }
  const files = { AWS_SHARED_CREDENTIALS_FILE: shared, AWS_PROFILE: 'ci' }
  const region = ['--region', 'eu-west-1']

  for (const [env, says] of [
    // This server takes no token: that it was given one shows in what it says.
    [keys, /password authentication failed for user "bench_ingest"/],
    [files, /password authentication failed for user "bench_ingest"/],
    [{ AWS_SHARED_CREDENTIALS_FILE: '/dev/null' }, /no password is given and AWS has no credentials/],
  ] as const) {
    const { code, stdout, stderr } = await push(env, ...region)
    t.equal(code, 77, stderr)
    t.match(stderr, says)
    t.match(stderr, /^error: .*\nhint: .*\n$/, 'one line and what to do: the SDK says nothing by itself')
    t.notMatch(stdout + stderr, SECRETS)
  }
  const { code, stderr } = await push(keys)
  t.equal(code, 77, 'no RDS host and no region: no token')
  t.match(stderr, /asks for a password, but none is given\nhint: .*PGPASSWORD/)
})

t.test('PG* variables are a whole target, and the password stays out of sight', async t => {
  const cwd = t.testdir({ 'one.jsonl': query() })
  const { name, countRows } = await createDatabase()
  const env = {
    ...{ PGHOST: '127.0.0.1', PGPORT: String(server.port), PGDATABASE: name, PGUSER: 'bench_ingest' },
    ...{ PGPASSWORD: server.password, PGSSLROOTCERT: server.caFile ?? '' },
  }
  const push = ['push', 'one.jsonl', '--commit', writeCommit(cwd), '--postgres', '']
  const { code, stdout, stderr } = await runCli(push, { cwd, env })
  t.equal(code, 0, stderr)
  t.equal(await countRows(), 1)
  t.notMatch(stdout + stderr, server.password)
  const weaker = await runCli(push, { cwd, env: { ...env, PGSSLMODE: 'require' } })
  t.equal(weaker.code, 2)
  t.match(weaker.stderr, /PGSSLMODE=require is refused/)
  const keywords = `host=127.0.0.1 port=${server.port} dbname=${name} user=bench_ingest password='${server.password}' sslrootcert='${server.caFile}'`
  t.equal((await runCli(['verify', 'one.jsonl', '--postgres', keywords], { cwd })).code, 0)
})

t.test('a role other than bench_ingest is refused unless allowed, and then reported', async t => {
  const cwd = t.testdir({ 'one.jsonl': query() })
  const { name, countRows } = await createDatabase()
  const push = ['push', 'one.jsonl', '--commit', writeCommit(cwd), '--postgres', server.url(name)]
  const refused = await runCli(push, { cwd })
  t.equal(refused.code, 78)
  t.match(refused.stderr, /^error: .*: the role is postgres, not bench_ingest\nhint: .*--role-policy any\n$/)
  t.equal(await countRows(), 0)
  const accepted = await runCli([...push, '--role-policy', 'any'], { cwd })
  t.equal(accepted.code, 0)
  t.match(accepted.stderr, /^warning: .*the role postgres writes, not bench_ingest \(--role-policy any\)\n$/)
  t.equal(await countRows(), 1)
})

t.test('--insecure-local needs no role and says so, unless the role is asked for', async t => {
  const cwd = t.testdir({ 'one.jsonl': query() })
  const plain = await startPostgres(t)
  const dsn = plain.adminUrl
  t.equal((await runCli(['migrate', '--insecure-local', dsn])).code, 0)
  const push = ['push', 'one.jsonl', '--commit', writeCommit(cwd), '--insecure-local', '--postgres', dsn]
  const { code, stderr } = await runCli(push, { cwd })
  t.equal(code, 0)
  t.equal(
    stderr,
    'warning: --insecure-local: the connection is neither encrypted nor verified, and any role may write\n',
  )
  const strict = await runCli([...push, '--role-policy', 'bench_ingest'], { cwd })
  t.equal(strict.code, 78)
  t.match(strict.stderr, /the role is postgres, not bench_ingest/)
})
