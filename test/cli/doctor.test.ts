/** `doctor` of the program itself and of the embedded database, and what a person sees. */

import { createHash } from 'node:crypto'
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createServer } from 'node:net'
import t from 'tap'
import { projectFile, runCli } from '../fixtures/cli.js'
import { emptyFolder } from '../database/embedded/fixtures/folders.js'
import { kill, startAndWait } from '../database/embedded/fixtures/child.js'
import { ordinaryAccount } from './fixtures/account.js'
import { runDoctor } from './fixtures/doctor.js'
import { listen } from '../fixtures/listen.js'
import { lockFolder } from '../../src/database/embedded/lock.js'

t.test('without a target it checks the embedded database and does not create one', async t => {
  const cwd = emptyFolder(t)
  const page = await runDoctor(t, [], { cwd })
  t.equal(page.code, 0, page.text)
  t.match(page.said('version'), [/^ok vortex-ingest \d+\.\d+\.\d+, contract version 3$/])
  t.strictSame(page.said('node'), [`ok Node ${process.version} on ${process.platform} ${process.arch}`])
  t.strictSame(page.said('ci'), ['ok not in CI'])
  t.strictSame(page.said('embedded'), ['ok .vortex-ingest (default)'])
  t.strictSame(page.said('folder'), ['ok .vortex-ingest is not there yet: the first push makes it'])
  t.match(page.said('disk'), [/ free for \.vortex-ingest$/])
  t.strictSame(readdirSync(cwd), [])
})

t.test("in CI it reports the missing target and the run's metadata", async t => {
  const env = { GITHUB_ACTIONS: 'true', GITHUB_SHA: 'a'.repeat(40), GITHUB_RUN_ID: '7', GITHUB_WORKFLOW: 'bench' }
  const page = await runDoctor(t, [], { env })
  t.equal(page.code, 78)
  t.strictSame(page.failures, ['target usage'])
  t.match(page.said('target'), [/^fail no target is given; in GitHub Actions the default/])
  t.strictSame(page.said('commit-sha'), [`ok ${'a'.repeat(40)} (GitHub Actions)`])
  t.strictSame(page.said('benchmark-id'), ['ok bench@7 (GitHub Actions)'])
  t.strictSame(
    page.groups.map(({ name }) => name),
    ['program', 'configuration'],
  )
  t.equal((await runDoctor(t, ['--embedded'], { env, cwd: emptyFolder(t) })).code, 0, 'asked for, it is no mistake')
})

t.test('a database that is there is left as it is, byte for byte', async t => {
  const cwd = emptyFolder(t)
  t.equal((await runCli(['migrate'], { cwd })).code, 0)
  const files = (): readonly string[] =>
    readdirSync(cwd, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name))
      .map(path => `${path} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`)
      .sort()
  const before = files()
  const page = await runDoctor(t, [], { cwd })
  t.equal(page.code, 0, page.text)
  t.match(page.said('folder'), [/^ok \.vortex-ingest\/db is a database of Postgres 18/])
  t.strictSame(page.said('lock'), ['ok no process has it open'])
  t.strictSame(page.said('writable'), ['ok .vortex-ingest can be written'])
  t.strictSame(files(), before)
})

t.test('a held lock exits 69 and names the holder, and the check itself takes no lock', async t => {
  const dir = emptyFolder(t)
  const holder = await startAndWait(t, 'lock', dir)
  for (const _ of ['once', 'and again']) {
    const page = await runDoctor(t, ['--embedded', dir])
    t.equal(page.code, 69)
    t.strictSame(page.failures, ['lock target_busy'])
    t.match(page.said('lock'), [new RegExp(`^fail .* is in use by process ${holder.pid} \\(since `)])
  }
  await kill(holder)
  t.equal((await runDoctor(t, ['--embedded', dir])).code, 0, 'gone with its process')
  const lock = await lockFolder(dir)
  t.equal((await runDoctor(t, ['--embedded', dir])).code, 69)
  await lock.release()
})

t.test('a folder that no push could use is 78', async t => {
  const dir = t.testdir({ file: 'x', other: { db: { PG_VERSION: '15\n' } }, broken: { db: {} } })
  for (const [name, says] of [
    ['file', /^fail .*file is not a folder$/],
    ['other', /^fail .* was made by Postgres 15, and this version has 18$/],
    ['broken', /^fail .* PG_VERSION is missing/],
  ] as const) {
    const page = await runDoctor(t, ['--embedded', join(dir, name)])
    t.equal(page.code, 78, page.text)
    t.match(page.said('folder'), [says])
    t.notMatch(page.text, /defect of vortex-ingest/)
  }
  const swallowed = await runDoctor(t, ['--embedded', 'results.jsonl'])
  t.equal(swallowed.code, 78)
  t.strictSame(swallowed.failures, ['address usage'])
  const both = await runDoctor(t, ['--embedded', dir, '--postgres', 'postgres://u@h/d'])
  t.match(both.said('address'), [/^fail --postgres and --embedded name two targets$/])
})

t.test('a folder that may not be written is 78, and a TMPDIR that is not there warns', async t => {
  const somebody = await ordinaryAccount(t)
  if (somebody === undefined) return
  const dir = emptyFolder(t)
  const closed = join(dir, 'closed')
  mkdirSync(closed)
  if (somebody.account !== undefined)
    for (const path of [dir, closed]) chownSync(path, somebody.account.uid, somebody.account.gid)
  chmodSync(closed, 0o500)
  for (const folder of [closed, join(closed, 'new')]) {
    const page = await runDoctor(t, ['--embedded', folder], { ...somebody, env: { TMPDIR: join(dir, 'nowhere') } })
    t.equal(page.code, 78, page.text)
    t.strictSame(page.failures, ['writable target_misconfigured'])
    t.match(page.said('tmp'), [/^warn ENOENT/])
  }
})

t.test('authorities that cannot be read are 78, and switched-off verification warns', async t => {
  const env = { NODE_EXTRA_CA_CERTS: '/nowhere.pem', NODE_TLS_REJECT_UNAUTHORIZED: '0' }
  const page = await runDoctor(t, [], { cwd: emptyFolder(t), env })
  t.equal(page.code, 78)
  t.match(page.said('authorities'), ['ok /nowhere.pem (NODE_EXTRA_CA_CERTS)', /^fail NODE_EXTRA_CA_CERTS: ENOENT/])
  t.match(page.said('tls'), [/^warn NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always verified/])
})

t.test('human output starts with the verdict, followed by the targets and hints', async t => {
  const { code, stdout, stderr } = await runCli([
    'doctor',
    '--postgres',
    'postgres://bench_ingest:hush@127.0.0.1:1/bench',
  ])
  t.equal(code, 69)
  t.equal(stderr, '')
  t.match(stdout, /^not ready: 1 failed, \d+ ok\n\nprogram\n {2}ok {3}version /)
  t.match(stdout, /\n\npostgres:\/\/bench_ingest@127\.0\.0\.1:1\/bench\n {2}ok {3}dns {4}/)
  t.match(stdout, /\n {2}fail login {2}connection refused\n {14}do: check host and port/)
  t.notMatch(stdout, /hush/)
  const good = await runCli(['doctor'], { cwd: emptyFolder(t) })
  t.match(good.stdout, /^ready: \d+ ok\n/)
})

t.test('Ctrl-C ends it at once, with 130', async t => {
  let connected = false
  const port = await listen(
    t,
    createServer(() => void (connected = true)),
  )
  const { code, stdout, stderr } = await runCli(['doctor', '--postgres', `postgres://u@127.0.0.1:${port}/d`], {
    signal: { name: 'SIGINT', when: () => connected },
  })
  t.equal(code, 130)
  t.equal(stdout, '')
  t.match(stderr, /^error: interrupted/)
})

t.test('a sample of the page stands in the documentation, and names every check of it', async t => {
  const text = readFileSync(projectFile('docs/doctor.md'), 'utf8')
  for (const check of [
    'proxy',
    'dns',
    'certificate',
    'login',
    'role',
    'grants',
    'schema',
    'clock',
    'token',
    'health',
    'lock',
    'disk',
  ])
    t.match(text, new RegExp(`\\b${check}\\b`), check)
})
