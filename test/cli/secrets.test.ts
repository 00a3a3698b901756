/** Wherever a password is put, right or wrong, nobody gets to see it. */

import t from 'tap'
import { runCli } from '../fixtures/cli.js'
import { startMigratedPostgres } from './fixtures/database.js'
import { query, writeCommit } from '../fixtures/records.js'

const { server, createDatabase } = await startMigratedPostgres(t)

const SECRET = 'hush-4711'

/** DSNs with the mistakes that people make, and the exit code of a push with each. */
const DSNS: readonly (readonly [dsn: string, code: number])[] = [
  [`postgres://u:${SECRET}@127.0.0.1:1/d`, 69],
  [`postgres://u:${SECRET}@nowhere.invalid/d`, 69],
  [`postgres://u:${SECRET}@127.0.0.1:1/d?sslmode=require`, 2],
  [`postgres://u:${SECRET}@127.0.0.1:1/d?password=${SECRET}`, 2],
  [`postgres://u:${SECRET}@h@ost/d`, 2],
  [`postgres://u:${SECRET}/@127.0.0.1/d`, 2],
  [`postgres://u:${SECRET}@127.0.0.1:${SECRET}/d`, 2],
  [`postgres://u:%${SECRET}@127.0.0.1/d`, 2],
  [`postgres://u:${SECRET} @127.0.0.1/d`, 2],
  [`postgres//u:${SECRET}@127.0.0.1/d`, 2],
  [`mysql://u:${SECRET}@127.0.0.1/d`, 2],
  [`host=127.0.0.1 password=${SECRET}`, 2],
  [`postgres://u:${SECRET}@127.0.0.1:1/d\n`, 69],
]

t.test('a DSN that cannot be used is refused without its password, by a flag and by a variable', async t => {
  const cwd = t.testdir({ 'one.jsonl': query() })
  const push = ['push', 'one.jsonl', '--commit', writeCommit(cwd)]
  for (const [dsn, code] of DSNS)
    for (const [args, env] of [
      [[...push, '--postgres', dsn, '--format', 'json'], {}],
      [push, { VORTEX_INGEST_POSTGRES: dsn }],
    ] as const) {
      const once = { VORTEX_INGEST_RETRY_DEADLINE: '0.001' }
      const { code: ended, stdout, stderr } = await runCli(args, { cwd, env: { ...env, ...once } })
      t.equal(ended, code, stderr)
      t.match(stderr, /^error: .*\n(hint: .*\n)?$/, 'one clear line and perhaps what to do')
      t.notMatch(stdout + stderr, SECRET)
    }
})

t.test('a DSN in a place that is not its own is not repeated with its password', async t => {
  const cwd = t.testdir({ 'one.jsonl': query() })
  const dsn = `postgres://u:${SECRET}@127.0.0.1/d`
  for (const [args, code] of [
    [['push', dsn], 66],
    [['push', dsn, '--format', 'json'], 66],
    [['validate', dsn, '--format', 'json'], 66],
    [['id', dsn], 66],
    [['push', 'one.jsonl', `--postgers=${dsn}`], 2],
    [['push', 'one.jsonl', `--postgers=${dsn}`, '--format', 'json'], 2],
    [['push', 'one.jsonl', '--format', dsn], 2],
    [['push', 'one.jsonl', '--embedded', dsn], 2],
    [['push', 'one.jsonl', '--commit', dsn, '--dry-run'], 78],
    [['push', 'one.jsonl', '--git-dir', dsn, '--dry-run'], 78],
    [['migrate', dsn, dsn], 2],
    [['migrate', dsn, '--postgres', dsn], 2],
    [['golden-check', '--vectors', dsn], 66],
    [[dsn], 2],
  ] as const) {
    const { code: ended, stdout, stderr } = await runCli(args, { cwd })
    t.equal(ended, code, args.join(' '))
    t.not(stderr, '')
    t.notMatch(stdout + stderr, SECRET, args.join(' '))
  }
})

t.test('a password that is wrong or right is in no output of any command', async t => {
  const cwd = t.testdir({ 'one.jsonl': query() })
  const { url } = await createDatabase()
  const wrong = url.replace(server.password, SECRET)
  const file = writeCommit(cwd)
  for (const [args, dsn, code] of [
    [['push', 'one.jsonl', '--commit', file], wrong, 77],
    [['push', 'one.jsonl', '--commit', file], url, 0],
    [['verify', 'one.jsonl'], wrong, 77],
    [['verify', 'one.jsonl'], url, 0],
    [['migrate'], wrong, 77],
    [['migrate'], url, 0],
  ] as const)
    for (const format of ['human', 'json']) {
      const { code: ended, stdout, stderr } = await runCli([...args, '--postgres', dsn, '--format', format], { cwd })
      t.equal(ended, code, stderr)
      if (code === 77)
        t.match(stderr, /^error: postgres:\/\/bench_ingest@127\.0\.0\.1:\d+\/test_1: password authentication failed/)
      t.notMatch(stdout + stderr, SECRET)
      t.notMatch(stdout + stderr, server.password)
    }
})
