/** `--allow-failure` forgives a target that is down, and never a state that fails. */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startCli, untilDone, type CliResult } from '../fixtures/cli.js'
import { startHttpServer } from '../fixtures/http-server.js'
import { AWS_ENVIRONMENT, findMoto, NO_MOTO, startMoto } from '../fixtures/moto.js'
import { jsonl, manyQueries } from '../fixtures/records.js'
import { startTcpProxy } from '../fixtures/tcp-proxy.js'
import { noMounts } from '../database/embedded/fixtures/disks.js'
import { push, pushArgs, TOKEN } from './fixtures/pushing.js'
import { DEAD } from './fixtures/state.js'

const python = await findMoto()
const moto = python === undefined ? undefined : await startMoto(t, python)
const S3 = 'path-style=true&region=us-east-1'
const TO_DEAD = ['f.jsonl', '--server', DEAD, '--retries', '0', '--allow-failure']

t.test('a disk that is full at any moment of a push keeps its exit code', { skip: noMounts }, async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(4)) })
  mkdirSync(join(cwd, 'disk'))
  const outcomes = new Set<string>()
  for (let pages = 1; !outcomes.has('forgiven') && pages < 20; pages++) {
    const mount = `mount -t tmpfs -o size=${4 * pages}k tmpfs disk && exec "$@"`
    const under = ['unshare', '--map-root-user', '--mount', 'sh', '-c', mount, 'sh']
    outcomes.add(outcomeOf(t, await push(cwd, [...TO_DEAD, '--state', 'disk/state'], { under }), /no space left/))
  }
  t.strictSame(outcomes, new Set(['the state failed', 'queued, then the state failed', 'forgiven']))
})

t.test('S3 that is lost at any moment of a push keeps its exit code', { skip: moto ? false : NO_MOTO }, async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(4)) })
  const outcomes = new Set<string>()
  for (const bytes of [0, 12_000, 16_000, Infinity]) {
    const proxy = await startTcpProxy(t, { port: moto!.port })
    const state = `s3://${await moto!.createBucket()}/x?endpoint=http://127.0.0.1:${proxy.port}&${S3}`
    if (bytes === 0) await proxy.close()
    else if (bytes < Infinity) proxy.hold(bytes)
    const args = pushArgs(cwd, ...TO_DEAD, '--state', state)
    const cli = startCli(args, { cwd, env: { ...AWS_ENVIRONMENT, INGEST_BEARER_TOKEN: TOKEN } })
    if (bytes > 0 && bytes < Infinity) {
      await untilDone(cli, () => proxy.forwarded.up >= bytes)
      await proxy.close()
    }
    outcomes.add(outcomeOf(t, await cli.result, /cannot be reached: .*ECONN/))
  }
  t.strictSame(outcomes, new Set(['the state failed', 'forgiven']))
})

/** Names how the push ended, and checks that exit code and message agree with it. */
function outcomeOf(t: Test, { code, stderr }: CliResult, stateFailure: RegExp): string {
  const isQueued = /4 records for .* stay queued/.test(stderr)
  if (code === 0) {
    t.ok(isQueued, stderr)
    t.match(stderr, /warning: http:\S+ connect ECONNREFUSED .*\(allowed by --allow-failure\)/)
    return 'forgiven'
  }
  t.equal(code, 69, stderr)
  t.match(stderr, stateFailure)
  t.match(stderr, /^error: /m)
  t.notMatch(stderr, /allowed by|best effort/)
  return isQueued ? 'queued, then the state failed' : 'the state failed'
}

t.test('S3 that refuses access fails the push with 77', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(manyQueries(4)) })
  const { url } = await startHttpServer(t, { answer: () => response => response.writeHead(403).end() })
  const options = { env: AWS_ENVIRONMENT }
  const { code, stderr } = await push(cwd, [...TO_DEAD, '--state', `s3://bucket/x?endpoint=${url}&${S3}`], options)
  t.equal(code, 77, stderr)
})
