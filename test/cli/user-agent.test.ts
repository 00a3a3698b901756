/** Every request says which program, and which version of it, asks. */

import { readFileSync } from 'node:fs'
import t from 'tap'
import { openS3Storage } from '../../src/storage/s3/s3.js'
import { runCli } from '../fixtures/cli.js'
import { json, startHttpServer } from '../fixtures/http-server.js'
import { AWS_ENVIRONMENT } from '../fixtures/moto.js'
import { startReferenceServer } from '../fixtures/reference-server.js'
import { refreshSite } from '../../src/delivery/refresh-site.js'
import { push, TOKEN } from './fixtures/pushing.js'
import { jsonl, query } from '../fixtures/records.js'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
const NAME = `vortex-ingest/${version}`

t.test('push, verify and doctor name themselves to a server', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) })
  const server = await startReferenceServer(t, TOKEN)
  const env = { INGEST_BEARER_TOKEN: TOKEN }
  t.equal((await push(cwd, ['f.jsonl', '--server', server.url])).code, 0)
  await runCli(['verify', 'f.jsonl', '--server', server.url], { cwd })
  await runCli(['doctor', '--server', server.url], { cwd, env })
  const asked = server.asked.map(({ method, path, headers }) => [method, path.split('?')[0], headers['user-agent']])
  for (const [method, path] of [
    ['POST', '/api/ingest'],
    ['GET', '/health'],
  ] as const)
    t.ok(asked.some(one => one[0] === method && one[1] === path))
  t.ok(asked.some(([, path]) => path?.startsWith('/api/measurements') || path?.startsWith('/api/commits/')))
  for (const one of asked) t.equal(one[2], NAME, one.join(' '))
})

t.test('revalidating and warming up name themselves to the site', async t => {
  const site = await startHttpServer(t, { answer: () => json(200, { groups: [{ slug: 'a' }] }) })
  const address = { base: new URL(site.url), token: 'hush', proxy: undefined, authorities: [] }
  await refreshSite({ address, warm: true, signal: new AbortController().signal })
  t.strictSame(
    site.asked.map(({ headers }) => headers['user-agent']),
    Array.from({ length: 4 }, () => NAME),
  )
})

t.test('requests to S3 say so beside the name of the SDK', async t => {
  Object.assign(process.env, AWS_ENVIRONMENT)
  const store = await startHttpServer(t, { answer: () => response => void response.writeHead(404).end() })
  const address = { kind: 's3', bucket: 'b', prefix: '', region: 'us-east-1', pathStyle: true } as const
  const storage = openS3Storage({ ...address, endpoint: store.url })
  await storage.get('a').catch(() => undefined)
  await storage.close()
  t.ok(store.asked.length > 0)
  for (const { headers } of store.asked) t.match(headers['user-agent'], /^aws-sdk-js\//)
  for (const { headers } of store.asked) t.ok(headers['user-agent']?.split(' ').includes(NAME))
})
