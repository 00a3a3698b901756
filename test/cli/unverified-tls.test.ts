/** NODE_TLS_REJECT_UNAUTHORIZED=0 makes no client talk to a server with an untrusted certificate. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeCertificate } from '../fixtures/certificates.js'
import { runCli } from '../fixtures/cli.js'
import { startHttpServer } from '../fixtures/http-server.js'
import { AWS_ENVIRONMENT } from '../fixtures/moto.js'
import { jsonl, query } from '../fixtures/records.js'
import { runDoctor } from './fixtures/doctor.js'
import { push } from './fixtures/pushing.js'

const dir = t.testdir({ 'f.jsonl': jsonl([query()]), token: 'identity' })
const untrusted = await startHttpServer(t, {
  answer: () => response => response.writeHead(404).end(),
  certificate: await makeCertificate(dir),
})
const UNVERIFIED = { NODE_TLS_REJECT_UNAUTHORIZED: '0' }
const place = `s3://bucket/x?endpoint=${untrusted.url}&path-style=true&region=us-east-1`

t.test('S3 as state and as archive refuses to start, and nothing is sent', async t => {
  const env = { ...AWS_ENVIRONMENT, ...UNVERIFIED }
  for (const args of [
    ['--state', place],
    ['--state', 'state', '--archive', place, '--require', 'archive'],
  ]) {
    const { code, stderr } = await push(dir, ['f.jsonl', '--allow-failure', ...args], { env })
    t.equal(code, 78, stderr)
    t.match(stderr, /^error: no connection to AWS or S3 is made with NODE_TLS_REJECT_UNAUTHORIZED=0\nhint: unset it/m)
  }
  t.equal((await runCli(['status', '--state', place], { env })).code, 78)
  t.strictSame(untrusted.asked, [])
})

t.test('an AWS login for Postgres refuses to start', async t => {
  writeFileSync(join(dir, 'config'), '[default]\nregion = eu-west-1\n')
  const login = { AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/ci', AWS_WEB_IDENTITY_TOKEN_FILE: join(dir, 'token') }
  const env = { ...UNVERIFIED, ...login, AWS_ENDPOINT_URL_STS: untrusted.url, AWS_CONFIG_FILE: join(dir, 'config') }
  const database = 'postgres://bench_ingest@db.abc.eu-west-1.rds.amazonaws.com/bench'
  const { code, stderr } = await push(dir, ['f.jsonl', '--postgres', database], { env })
  t.equal(code, 78, stderr)
  t.match(stderr, /no connection to AWS or S3 is made/)
  t.strictSame(untrusted.asked, [])
})

t.test('doctor warns, and fails the check of an archive in S3', async t => {
  const env = { ...AWS_ENVIRONMENT, ...UNVERIFIED }
  const page = await runDoctor(t, ['--state', 'state', '--archive', place], { cwd: dir, env })
  t.equal(page.code, 78, page.text)
  t.match(page.said('tls'), [/^warn NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored/])
  t.strictSame(page.failures, ['reachable config_invalid'])
  t.strictSame(untrusted.asked, [])
})
