import t from 'tap'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { applied, startAnswering } from '../fixtures/http-server.js'
import { pushArgs, TOKEN } from './fixtures/pushing.js'
import { oneOfEach, query, writeLines } from '../fixtures/records.js'
import { schemaErrors } from './fixtures/schema.js'

const env = { VORTEX_INGEST_STATE: 'state', SITE_TOKEN: TOKEN }
const run = (cwd: string, ...args: readonly string[]): Promise<CliResult> => runCli(args, { cwd, env })

/** @returns the document, which is as its schema says */
async function json<T>(cwd: string, schema: string, args: readonly string[], exitCode = 0): Promise<T> {
  const { code, stdout, stderr } = await run(cwd, ...args, '--format', 'json')
  t.equal(code, exitCode, stderr)
  t.same(schemaErrors(`${schema}-report`, stdout), [], args.join(' '))
  return JSON.parse(stdout) as T
}

t.test('two processes that add the same name at once: one wins', async t => {
  const cwd = t.testdir({})
  const add = (folder: string): Promise<CliResult> => run(cwd, 'targets', 'add', 'one', 'embedded', folder)
  const codes = (await Promise.all([add('a'), add('b')])).map(({ code }) => code)
  t.same(codes.sort(), [0, 78])
})

t.test('a secret in an address is refused, and not repeated', async t => {
  const cwd = t.testdir({})
  for (const [kind, address] of [
    ['postgres', 'postgres://u:hush-4711@db.example.com/d'],
    ['postgres', 'host=db.example.com user=u dbname=d password=hush-4711'],
    ['server', 'https://u:hush-4711@example.com'],
    ['server', 'https://example.com?token=hush-4711'],
  ] as const) {
    const { code, stdout, stderr } = await run(cwd, 'targets', 'add', 'x', kind, address)
    t.equal(code, 2, address)
    t.notMatch(stdout + stderr, /hush/)
  }
  const misplaced = await run(cwd, 'targets', 'add', 'x', 'server', 'https://example.com', '--secret-env', 'hush-4711')
  t.equal(misplaced.code, 2)
  t.notMatch(misplaced.stderr, /hush/)
})

t.test('a push delivers to the registered targets, and the required ones decide its exit code', async t => {
  const cwd = t.testdir({})
  let isUp = false
  const { url } = await startAnswering(t, (response, asked) => {
    if (isUp) return applied(response, asked)
    response.writeHead(400).end('{"error":"malformed","message":"not now"}')
  })
  await json(cwd, 'buckets-add', ['buckets', 'add', 'cold', '--root', 'cold'])
  await json(cwd, 'targets-add', ['targets', 'add', 'keep', 'archive', '--bucket', 'cold'])
  await json(cwd, 'targets-add', [
    'targets',
    'add',
    'site',
    'server',
    url,
    '--secret-env',
    'SITE_TOKEN',
    '--best-effort',
  ])
  writeLines(cwd, 'f.jsonl', oneOfEach())
  const push = ['f.jsonl', '--retries', '0']
  const first = await run(cwd, ...pushArgs(cwd, ...push, '--format', 'json'))
  const { targets } = JSON.parse(first.stdout) as { targets: readonly object[] }
  t.same(schemaErrors('push-report', first.stdout), [])
  t.match(targets, [
    { name: 'keep', kind: 'archive', required: true, status: 'delivered', inserted: 5 },
    { name: 'site', kind: 'server', required: false, failed: { code: String } },
  ])
  t.match(await json(cwd, 'journal', ['journal', '--target', 'site', '--since', '1h']), {
    events: [{ name: 'site', operation: 'deliver', run: 'bench' }],
  })
  t.match(await json(cwd, 'targets-ls', ['targets', 'ls', '--no-check']), {
    targets: [
      { name: 'keep', lag: { records: 0 }, last_error: null },
      { name: 'site', lag: { records: 5 }, last_error: { name: 'site' }, settings: 'defaults' },
    ],
  })
  const unsaid = await run(cwd, 'targets', 'set', 'site')
  t.equal(unsaid.code, 2)
  t.equal(unsaid.stderr, 'error: it is not said what site is to be\nhint: give --required or --best-effort\n')
  t.match(await json(cwd, 'targets-set', ['targets', 'set', 'site', '--required']), { changed: true })
  t.not((await run(cwd, 'drain', '--retries', '0')).code, 0, 'a required target that fails is red')
  isUp = true
  t.equal((await run(cwd, 'drain', '--target', 'site')).code, 0)
  const { health } = await json<{ health: readonly object[] }>(cwd, 'journal-health', ['journal', 'health'])
  t.match(
    health.find(one => (one as { name: string }).name === 'site'),
    { state: 'recovered' },
  )
  t.match(await json(cwd, 'journal-compact', ['journal', 'compact']), { after: { objects: 1 } })
  t.match(await run(cwd, 'buckets', 'rm', 'cold'), { code: 78, stderr: /in use by keep/ })
})

t.test('a best-effort target without its token fails alone', async t => {
  const cwd = t.testdir({})
  await run(
    cwd,
    'targets',
    'add',
    'site',
    'server',
    'https://ingest.example.com',
    '--secret-env',
    'NO_SUCH',
    '--best-effort',
  )
  await run(cwd, 'buckets', 'add', 'cold', '--root', 'cold')
  await run(cwd, 'targets', 'add', 'keep', 'archive', '--bucket', 'cold')
  writeLines(cwd, 'f.jsonl', [query()])
  const { code, stdout, stderr } = await run(cwd, ...pushArgs(cwd, 'f.jsonl'))
  t.equal(code, 0, stderr)
  t.match(stdout, /ingested 1 record/)
  t.match(stderr, /NO_SUCH/)
})

t.test('names that do not go together are refused', async t => {
  const cwd = t.testdir({ 'f.jsonl': '' })
  const unknown = await run(cwd, ...pushArgs(cwd, 'f.jsonl', '--target', 'nobody'))
  t.match(unknown, { code: 78, stderr: /there is no target nobody/ })
  const both = await run(cwd, ...pushArgs(cwd, 'f.jsonl', '--target', 'x', '--embedded', 'd'))
  t.match(both, { code: 2, stderr: /--target names registered targets/ })
  const stateless = await runCli(pushArgs(cwd, 'f.jsonl', '--target', 'x'), { cwd })
  t.match(stateless, { code: 2, stderr: /--target requires --state/ })
})

t.test('objects of buckets come and go as they are', async t => {
  const cwd = t.testdir({})
  writeFileSync(join(cwd, 'in'), 'one\n')
  t.match(await json(cwd, 'buckets-put', ['buckets', 'put', 'rescue', 'a/b', 'in']), { bytes: 4 })
  const rescued = await run(cwd, 'buckets', 'get', 'primary', 'a/b')
  t.match(rescued, { code: 0, stdout: 'one\n', stderr: /primary did not answer; rescue did/ })
  t.match(await json(cwd, 'buckets-get', ['buckets', 'get', 'primary', 'a/b']), { answered: 'rescue', rescued: true })
  t.equal((await run(cwd, 'buckets', 'put', 'primary', '../out', 'in')).code, 2)
  t.match(await json(cwd, 'buckets-ls', ['buckets', 'ls']), { buckets: [{ name: 'primary' }, { name: 'rescue' }] })
})
