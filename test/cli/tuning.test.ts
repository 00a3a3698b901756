import t, { type Test } from 'tap'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { startMigratedPostgres, type Database, countEmbeddedRows } from './fixtures/database.js'
import { pushArgs } from './fixtures/pushing.js'
import { query, writeLines } from '../fixtures/records.js'
import { schemaErrors } from './fixtures/schema.js'

const { createDatabase, server } = await startMigratedPostgres(t)

type Settings = Readonly<Record<string, number>>
type TrialReport = {
  readonly id: string
  readonly settings: Settings
  readonly result: { readonly ratio: number } | null
}
type TuneReport = { readonly trials: readonly TrialReport[]; readonly stopped: string }
type PromotionReport = { readonly id: string; readonly trial: string; readonly rolled_back: object | null }
type PromotionsReport = {
  readonly targets: readonly {
    readonly active: string | null
    readonly promotions: readonly PromotionReport[]
    readonly trials: readonly TrialReport[]
  }[]
}
type Explained = {
  readonly explain: readonly { readonly target: string; readonly settings: readonly { readonly name: string }[] }[]
}

const STATE = { VORTEX_INGEST_STATE: 'state', PASSWORD: server.password }

function run(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  return runCli(args, { cwd, env: { ...STATE, ...env } })
}

/** @returns the document, which is as its schema says */
async function json<T>(cwd: string, schema: string, args: readonly string[], env = {}): Promise<T> {
  const { code, stdout, stderr } = await run(cwd, [...args, '--format', 'json'], env)
  t.equal(code, 0, stderr)
  t.same(schemaErrors(`${schema}-report`, stdout), [], args.join(' '))
  return JSON.parse(stdout) as T
}

/** A folder with a sample and a target `db`: a fresh Postgres database. */
async function prepared(t: Test): Promise<string> {
  const cwd = withSample(t)
  await addPostgres(cwd, 'db', await createDatabase())
  return cwd
}

async function addPostgres(cwd: string, name: string, { url }: Database): Promise<void> {
  const address = new URL(url)
  address.password = ''
  await json(cwd, 'targets-add', ['targets', 'add', name, 'postgres', address.href, '--secret-env', 'PASSWORD'])
}

function withSample(t: Test): string {
  const cwd = t.testdir({})
  writeLines(
    cwd,
    'sample.jsonl',
    Array.from({ length: 50 }, (_, query_idx) => query({ query_idx })),
  )
  return cwd
}

const tuneArgs = (target: string, trials: number): readonly string[] => [
  'tune',
  '--target',
  target,
  '--sample',
  'sample.jsonl',
  '--trials',
  String(trials),
]

async function tuned(cwd: string, trials = 2): Promise<readonly TrialReport[]> {
  return (await json<TuneReport>(cwd, 'tune', tuneArgs('db', trials))).trials
}

const promote = (trial: string, ...more: readonly string[]): readonly string[] => [
  'promote',
  '--target',
  'db',
  '--trial',
  trial,
  ...more,
]

async function promotionsOf(cwd: string): Promise<PromotionsReport['targets'][number]> {
  const { targets } = await json<PromotionsReport>(cwd, 'promotions', ['promotions', '--target', 'db'])
  return targets[0]!
}

/** By name: the value, who says so, from which trial. */
async function explained(cwd: string, args: readonly string[], env = {}): Promise<Readonly<Record<string, object>>> {
  const { explain } = await json<Explained>(cwd, 'push', pushArgs(cwd, 'sample.jsonl', '--explain', ...args), env)
  return Object.fromEntries(explain[0]!.settings.map(setting => [setting.name, setting]))
}

t.test('a push uses promoted settings, and the defaults again after a rollback', async t => {
  const cwd = withSample(t)
  await json(cwd, 'targets-add', ['targets', 'add', 'db', 'embedded', 'there'])
  const trials = await tuned(cwd)
  t.equal(trials.length, 2)
  t.equal(await countEmbeddedRows(`${cwd}/there`), 0, 'trials leave nothing')
  const [{ id, settings }] = trials as readonly [TrialReport, ...TrialReport[]]
  t.match(await json(cwd, 'promote', promote(id, '--note', 'why not', '--by', 'ada')), {
    changed: true,
    promotion: { trial: id, settings, by: 'ada', note: 'why not', rolled_back: null },
  })
  t.match(await json(cwd, 'promote', promote(id)), { changed: false })
  t.match(await json(cwd, 'targets-ls', ['targets', 'ls', '--no-check']), {
    targets: [{ settings: 'promoted', promotion: { trial: id, settings } }],
  })
  const dry = await explained(cwd, ['--dry-run'])
  t.match(dry, { 'small-rows': { value: settings['small-rows'], origin: 'promoted', trial: id } })
  const used = await explained(cwd, ['--copy-bytes', '1MiB'], { VORTEX_INGEST_WORK_MEM_MIB: '5' })
  t.match(used, {
    'copy-bytes': { value: 1024 * 1024, origin: '--copy-bytes', trial: null },
    'small-rows': { value: settings['small-rows'], origin: 'promoted', trial: id },
    'work-mem-mib': { value: 5, origin: 'VORTEX_INGEST_WORK_MEM_MIB', trial: null },
  })
  t.equal(await countEmbeddedRows(`${cwd}/there`), 50)
  const human = await run(cwd, pushArgs(cwd, 'sample.jsonl', '--explain', '--full-refresh'))
  t.match(human.stdout, new RegExp(`db: small-rows 0 \\(promoted, trial ${id}\\)`))
  t.match(await json(cwd, 'rollback', ['rollback', '--target', 'db']), { from: { trial: id }, to: null })
  t.match(await explained(cwd, ['--full-refresh']), { 'small-rows': { value: 5_000, origin: 'default', trial: null } })
  const { active, promotions } = await promotionsOf(cwd)
  t.match({ active, promotions }, { active: null, promotions: [{ trial: id, rolled_back: { by: String } }] })
})

t.test('a push without state says its defaults and its flags', async t => {
  const cwd = t.testdir({})
  writeLines(cwd, 'sample.jsonl', [query()])
  const args = pushArgs(cwd, 'sample.jsonl', '--embedded', 'e', '--explain', '--small-rows', '0')
  const { stdout, code } = await runCli(args, { cwd })
  t.equal(code, 0)
  t.match(stdout, /embedded: copy-bytes 4,194,304 \(default\)\nembedded: small-rows 0 \(--small-rows\)/)
})

t.test('a drain uses promoted settings and reports them', async t => {
  const cwd = await prepared(t)
  const [trial] = await tuned(cwd, 1)
  await json(cwd, 'promote', promote(trial!.id))
  // Queues records that the target does not have yet.
  await run(cwd, pushArgs(cwd, 'sample.jsonl', '--archive', 'cold'))
  const { explain, ...drained } = await json<Explained>(cwd, 'drain', ['drain', '--explain'])
  t.match(explain, [{ target: 'db', settings: [{}, { name: 'small-rows', origin: 'promoted', trial: trial!.id }, {}] }])
  t.match(drained, { targets: [{ name: 'db', inserted: 50 }] })
})

t.test('in Postgres trials leave nothing either, and go on from those before', async t => {
  const cwd = await prepared(t)
  const database = await createDatabase()
  await addPostgres(cwd, 'pg', database)
  const first = await json<TuneReport>(cwd, 'tune', tuneArgs('pg', 2))
  const second = await json<TuneReport>(cwd, 'tune', tuneArgs('pg', 2))
  const ids = [...first.trials, ...second.trials].map(({ id }) => id)
  t.equal(new Set(ids).size, 4)
  t.equal(await database.countRows(), 0)
  t.strictSame(await database.sql('SELECT * FROM commits'), [])
  // A trial is of the target that it was made on.
  t.match(await run(cwd, promote(ids[0]!)), { code: 78, stderr: /belongs to postgres.*, not to db/ })
})

t.test('two processes that promote at once: both are in the history, one is active', async t => {
  const cwd = await prepared(t)
  const trials = await tuned(cwd, 4)
  const codes = (await Promise.all(trials.map(({ id }) => run(cwd, promote(id))))).map(({ code }) => code)
  t.strictSame(codes, [0, 0, 0, 0])
  const { active, promotions } = await promotionsOf(cwd)
  t.same(promotions.map(({ trial }) => trial).sort(), trials.map(({ id }) => id).sort())
  t.equal(promotions[0]?.id, active)
})

t.test('a promotion that was killed is in the history exactly when it is active', async t => {
  const cwd = await prepared(t)
  const [trial] = await tuned(cwd, 1)
  const faulty = (fault: string): Promise<CliResult> =>
    run(cwd, promote(trial!.id), { VORTEX_INGEST_TEST_FAIL_POINT: `promotion.put=${fault}` })
  t.match(await faulty('kill-before'), { signal: 'SIGKILL' })
  t.match(await promotionsOf(cwd), { active: null, promotions: [] })
  t.match(await faulty('kill-after'), { signal: 'SIGKILL' })
  const { active, promotions } = await promotionsOf(cwd)
  t.match(promotions, [{ id: active, trial: trial!.id }])
  t.match(await json(cwd, 'promote', promote(trial!.id)), { changed: false })
})

t.test('a trial that was killed is never tried again, and is none to promote', async t => {
  const cwd = await prepared(t)
  const killed = await run(cwd, tuneArgs('db', 1), { VORTEX_INGEST_TEST_FAIL_POINT: 'trial.put=kill-after' })
  t.equal(killed.signal, 'SIGKILL')
  const [cutOff] = (await promotionsOf(cwd)).trials
  t.equal(cutOff?.result, null)
  t.notOk((await tuned(cwd, 2)).some(({ id }) => id === cutOff?.id))
  t.match(await run(cwd, promote(cutOff!.id)), { code: 78, stderr: /no result/ })
})

t.test('impossible requests are reported with their exit codes', async t => {
  const cwd = await prepared(t)
  await json(cwd, 'targets-add', ['targets', 'add', 'site', 'server', 'http://127.0.0.1:1'])
  for (const [args, code, message] of [
    [promote('0123456789ab'), 78, /there is no trial 0123456789ab/],
    [['rollback', '--target', 'db'], 78, /there is nothing to roll back for db: the defaults apply/],
    [['rollback', '--target', 'nobody'], 78, /there is no target nobody/],
    [['rollback'], 2, /--target is missing/],
    [['promote', '--target', 'db'], 2, /--trial is missing/],
    [['tune', '--target', 'db'], 2, /--sample is missing/],
    [tuneArgs('site', 1), 2, /site cannot be tuned: what server was sent cannot be rolled back/],
    [['tune', '--target', 'db', '--sample', 'sample.jsonl', '--budget', '5'], 2, /30s, 5m or 1h/],
    [['tune', '--target', 'db', '--sample', 'none.jsonl'], 66, /none\.jsonl/],
  ] as const)
    t.match(await run(cwd, args), { code, stderr: message }, args.join(' '))
  writeLines(cwd, 'bad.jsonl', ['{"kind":"sixth"}'])
  t.match(await run(cwd, ['tune', '--target', 'db', '--sample', 'bad.jsonl']), { code: 65, stderr: /sixth/ })
  writeLines(cwd, 'empty.jsonl', [])
  t.match(await run(cwd, ['tune', '--target', 'db', '--sample', 'empty.jsonl']), { code: 66, stderr: /no record/ })
})

t.test('trials are limited by the hour over all runs: exit code 75 where none could begin', async t => {
  const cwd = await prepared(t)
  const limited = [...tuneArgs('db', 5), '--max-trials-per-hour', '1', '--budget', '30s']
  t.match(await json<TuneReport>(cwd, 'tune', limited), { stopped: 'cool-down', trials: [{}], next_at: String })
  t.match(await run(cwd, limited), { code: 75, stdout: /the next trial may begin at/ })
})
