import t from 'tap'
import { execFileSync } from 'node:child_process'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { startMigratedPostgres, type Database } from './fixtures/database.js'
import { access, COMMIT, query, size, token, writeCommit, writeLines, type Fields } from '../fixtures/records.js'
import { schemaErrors } from './fixtures/schema.js'

const { createDatabase } = await startMigratedPostgres(t)
const BASE = 'a1'.repeat(20)
const HEAD = 'b2'.repeat(20)
const MOST = '9223372036854775807'

/** Runs of about some length. */
const timed = (about: number, count = 10): Fields => ({
  value_ns: about,
  all_runtimes_ns: Array.from({ length: count }, (_, run) => about + run),
})

type Lines = (at: Fields) => readonly string[]

async function pushed(cwd: string, target: readonly string[], base: Lines, head: Lines): Promise<void> {
  for (const [sha, lines, day] of [
    [BASE, base, 1],
    [HEAD, head, 2],
  ] as const) {
    writeLines(cwd, 'results.jsonl', lines({ commit_sha: sha }))
    const commit = {
      ...COMMIT,
      sha,
      timestamp: `2026-02-0${day}T00:00:00Z`,
      url: `https://github.com/owner/repo/commit/${sha}`,
    }
    const { code, stderr } = await runCli(['push', 'results.jsonl', '--commit', writeCommit(cwd, commit), ...target], {
      cwd,
    })
    if (code !== 0) throw new Error(stderr)
  }
}

/** One slower, one faster, one larger, one unproven, one unjudged, one the same, and one on each side alone. */
const before: Lines = at => [
  query({ ...at, query_idx: 1, ...timed(1_000_000) }),
  query({ ...at, query_idx: 2, ...timed(1_000_000) }),
  query({ ...at, query_idx: 3, value_ns: 1_000, all_runtimes_ns: [500, 1_000, 1_500, 2_000] }),
  query({ ...at, query_idx: 4, value_ns: token(MOST), all_runtimes_ns: [1, 2, 3, 4] }),
  query({ ...at, query_idx: 5, ...timed(77) }),
  access({ ...at, ...timed(100, 3) }),
  size({ ...at, value_bytes: 1_000 }),
]
const after: Lines = at => [
  query({ ...at, query_idx: 1, ...timed(2_000_000) }),
  query({ ...at, query_idx: 2, ...timed(250_000) }),
  query({ ...at, query_idx: 3, value_ns: 1_500, all_runtimes_ns: [600, 1_500, 1_600, 1_900] }),
  query({ ...at, query_idx: 4, value_ns: token(MOST), all_runtimes_ns: [1, 2, 3, 4] }),
  query({ ...at, query_idx: 6, ...timed(77) }),
  access({ ...at, ...timed(900, 3) }),
  size({ ...at, value_bytes: 1_250 }),
]

const compare = (cwd: string, { url }: Pick<Database, 'url'>, ...args: readonly string[]): Promise<CliResult> =>
  runCli(['compare', ...args, '--postgres', url], { cwd })

t.test('two commits in Postgres', async t => {
  const cwd = t.testdir({})
  const database = await createDatabase()
  await pushed(cwd, ['--postgres', database.url], before, after)

  await t.test('the output starts with the verdict, followed by the largest changes, datasets and notes', async t => {
    const { code, stdout, stderr } = await compare(cwd, database, BASE.slice(0, 7))
    t.strictSame([code, stderr], [0, ''])
    const lines = stdout.split('\n')
    t.match(
      lines[0],
      /^changed: 1 slower, 1 larger, 1 faster, 1 unproven, 2 unjudged of 6 series; b2b2b2b against a1a1a1a in postgres:/,
    )
    t.strictSame(
      lines.slice(1, 6).map(line => line.trim().split(/ {2,}/)),
      [
        ['faster', '0.250', 'q 0.0003', '1,000,000 → 250,000 ns', 'query_measurement tpch 1 q2 nvme vortex parquet'],
        ['slower', '2.000', 'q 0.0024', '1,000,000 → 2,000,000 ns', 'query_measurement tpch 1 q1 nvme vortex parquet'],
        ['larger', '1.250', 'exact', '1,000 → 1,250 bytes', 'compression_size taxi vortex'],
        ['unjudged', '9.000', '3 and 3 runs', '100 → 900 ns', 'random_access_time taxi lance'],
        ['unproven', '1.500', 'q 1.0000', '1,000 → 1,500 ns', 'query_measurement tpch 1 q3 nvme vortex parquet'],
      ],
    )
    t.match(stdout, /\n +0\.931 {2}query_measurement tpch \(4\)\n/)
    t.match(stdout, /\nnote: slower and faster mean q < 0\.02 .* a ratio of 1\.03 or more, or 1\/1\.03 or less\n/)
    t.match(stdout, /\nnote: 1 series by size: sizes are exact, so larger and smaller mean a ratio of 1\.03 or more/)
    t.match(
      stdout,
      /\nnote: 1 series cannot be judged, because BASE or HEAD has fewer than 4 runs above zero: record about ten/,
    )
    t.match(stdout, /\nnote: no commit before BASE is stored, so the noise between jobs is not known\n/)
    t.match(stdout, /\nnote: 1 series only in BASE\nnote: 1 series only in HEAD\n/)
  })

  await t.test('-v lists every series and the missing ones, values digit for digit', async t => {
    const { stdout } = await compare(cwd, database, BASE, HEAD, '-v')
    t.match(stdout, / 9,223,372,036,854,775,807 → 9,223,372,036,854,775,807 ns /)
    t.match(stdout, '\nonly in BASE: query_measurement tpch 1 q5 nvme vortex parquet\n')
    t.match(stdout, '\nonly in HEAD: query_measurement tpch 1 q6 nvme vortex parquet\n')
  })

  await t.test(
    '--fail-on regression exits 5 when a change exceeds the threshold, and 6 when it could have been missed',
    async t => {
      const codeOf = async (...args: readonly string[]): Promise<number | null> =>
        (await compare(cwd, database, ...args, '--fail-on', 'regression')).code
      t.equal(await codeOf(BASE, HEAD, '--threshold', '1.1'), 5)
      t.equal(await codeOf(BASE, HEAD, '--threshold', '2'), 5)
      t.equal(await codeOf(BASE, HEAD, '--threshold', '2.1'), 6)
      t.equal(await codeOf(HEAD, BASE, '--threshold', '3'), 5, 'the other way round what got faster got slower')
      t.equal(await codeOf(HEAD, BASE, '--threshold', '4.1'), 6)
    },
  )

  await t.test('JSON matches its published schema', async t => {
    const { code, stdout } = await compare(cwd, database, BASE, HEAD, '--format', 'json', '--fail-on', 'regression')
    t.strictSame(schemaErrors('compare-report', stdout), [])
    const report = JSON.parse(stdout) as { series: readonly Record<string, unknown>[] }
    t.match(report, {
      ...{
        exit_code: 5,
        verdict: 'changed',
        base: { sha: BASE },
        head: { sha: HEAD },
        thresholds: { q: 0.02, ratio: 1.03 },
      },
      summary: { series: 6, slower: 1, larger: 1, regressions: 2, only_base: 1, only_head: 1 },
      only_base: [{ dimensions: { query_idx: 5, dataset_variant: null } }],
    })
    t.equal(code, 5)
    const [largest] = report.series.filter(({ base }) => base === MOST)
    t.match(largest, { base: MOST, head: MOST, ratio: 1, verdict: 'unjudged', reason: 'no_history', runtimes: [4, 4] })
  })

  await t.test('Markdown has the verdict, tables, and nothing that a name could break', async t => {
    await database.sql(`UPDATE compression_sizes SET dataset = 'a|b\`<img>'`)
    const { stdout } = await compare(cwd, database, BASE, HEAD, '--format', 'markdown')
    t.match(stdout, /^\*\*changed:\*\* 1 slower, 1 larger, /)
    t.match(
      stdout,
      '| slower | 2.000 | q 0.0024 | 1,000,000 → 2,000,000 ns | `query_measurement tpch 1 q1 nvme vortex parquet` |\n',
    )
    t.match(stdout, '| `` compression_size a\\|b`<img> vortex `` |\n')
    t.match(stdout, /\n- slower and faster mean q \\< 0\.02/)
    await database.sql(String.raw`UPDATE compression_sizes SET dataset = E'a\n\n::add-mask::1\n![x](y)'`)
    const lines = (await compare(cwd, database, BASE, HEAD, '--format', 'markdown')).stdout.split('\n')
    t.notOk(
      lines.some(line => /^(::|!)/.test(line)),
      'a name with line feeds stays in its cell',
    )
  })
})

t.test('in the embedded database, by names that git knows', async t => {
  const cwd = t.testdir({})
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
      cwd,
      encoding: 'utf8',
    }).trim()
  git('init', '--quiet')
  git('remote', 'add', 'origin', 'https://github.com/owner/repo.git')
  for (const [day, about] of [100_000, 100_300, 99_800, 100_100, 99_900, 100_200, 100_000, 130_000].entries()) {
    git('commit', '--quiet', '--allow-empty', '--message', 'x', '--date', `2026-01-0${day + 1}T00:00:00Z`)
    writeLines(cwd, 'results.jsonl', [access({ commit_sha: git('rev-parse', 'HEAD'), ...timed(about) })])
    t.equal((await runCli(['push', 'results.jsonl', '--embedded'], { cwd })).code, 0)
  }
  const run = (...args: readonly string[]): Promise<CliResult> =>
    runCli(['compare', ...args, '--fail-on', 'regression'], { cwd })
  const same = await run('HEAD~2', 'HEAD~1')
  t.strictSame([same.code, same.stderr], [0, ''])
  t.match(same.stdout, /^no change: 1 unchanged of 1 series; /)
  t.match(same.stdout, /\nnote: the noise was measured at 5 stored commits before BASE\n/)
  const slower = await run('HEAD~1', 'HEAD')
  t.equal(slower.code, 5)
  t.match(slower.stdout, /^changed: 1 slower of 1 /)
  const early = await run('HEAD~7', 'HEAD~6')
  t.equal(early.code, 6)
  t.match(early.stdout, /^inconclusive: 1 unjudged of 1 series; /)
  t.match(
    early.stdout,
    /\nnote: 1 series cannot be judged, because fewer than 4 commits before BASE measured them: store/,
  )
  const unknown = await run('HEAD~1', 'HEAD', '--control', 'format=parquet')
  t.equal(unknown.code, 78)
  t.match(unknown.stderr, /^error: no series of both commits is a control: format=parquet\nhint: name a dimension/)
  const all = await run('HEAD~1', 'HEAD', '--control', 'dataset=taxi')
  t.equal(all.code, 2, 'nothing would be left to judge')
  t.match(all.stderr, /^error: every series is a control: dataset=taxi\nhint: name only series that the change cannot/)
  t.match((await run('HEAD', 'HEAD~1')).stdout, /\nnote: HEAD is an ancestor of BASE: /)
  t.notMatch(slower.stdout, 'ancestor of BASE')
  const elsewhere = await run('--git-dir', 'nowhere')
  t.match(elsewhere, {
    code: 78,
    stderr: /^error: nowhere is not a directory that git can enter\nhint: --git-dir takes/,
  })
  const mistyped = await run('HEAD~1', 'HEAD', '--control', 'formt=parquet')
  t.equal(mistyped.code, 2)
  t.match(mistyped.stderr, /'formt=parquet' is invalid. It must be DIMENSION=VALUE with one of dataset, /)
})

t.test('an impossible comparison is reported, and fails when a verdict was requested', async t => {
  const cwd = t.testdir({})
  const database = await createDatabase()
  const empty = await compare(cwd, database, BASE)
  t.equal(empty.code, 78)
  t.match(empty.stderr, /^error: no commit is stored for "a1a1.*\nhint: nothing is stored there/)

  await pushed(
    cwd,
    ['--postgres', database.url],
    at => [size(at)],
    at => [access(at)],
  )
  const apart = await compare(cwd, database, BASE, HEAD, '--fail-on', 'regression')
  t.equal(apart.code, 6)
  t.match(apart.stdout, /^inconclusive: no series is in both, /)

  const same = await compare(cwd, database, HEAD)
  t.equal(same.code, 2)
  t.match(
    same.stderr,
    /^error: nothing to compare: (b2){20} is itself the newest stored commit\nhint: name two different commit/,
  )
  for (const threshold of ['1', '0.9', 'x', '-2', 'Infinity'])
    t.equal((await compare(cwd, database, BASE, '--threshold', threshold)).code, 2, threshold)
})

t.test(
  'cached and reopened random access are two series, and changed input data is noted beside a larger size',
  async t => {
    const cwd = t.testdir({})
    const database = await createDatabase()
    const lines =
      (hot: number, cold: number, bytes: number): Lines =>
      at => [
        access({ ...at, open_mode: 'cached', ...timed(hot) }),
        access({ ...at, open_mode: 'reopen', ...timed(cold) }),
        size({ ...at, value_bytes: bytes, uncompressed_bytes: bytes * 4 }),
      ]
    await pushed(cwd, ['--postgres', database.url], lines(1_000, 9_000, 1_000), lines(1_000, 90_000, 2_000))
    const { stdout } = await compare(cwd, database, BASE)
    t.match(stdout, /^ {2}slower .* random_access_time taxi lance \(cold\)$/m)
    t.notMatch(stdout, /lance \(hot\)/)
    t.match(stdout, 'note: 1 series compressed different data at HEAD and BASE (uncompressed_bytes differs)')
    const json = await compare(cwd, database, BASE, '--format', 'json')
    t.strictSame(schemaErrors('compare-report', json.stdout), [])
    const { series } = JSON.parse(json.stdout) as { series: readonly Record<string, unknown>[] }
    t.match(
      series.find(({ kind }) => kind === 'compression_size'),
      { uncompressed_bytes: ['4000', '8000'] },
    )
    t.match(
      series.filter(({ kind }) => kind === 'random_access_time').map(({ dimensions }) => dimensions),
      [{ open_mode: 'reopen' }, { open_mode: 'cached' }],
    )
    t.match((await compare(cwd, database, BASE, '-v')).stdout, /unjudged .* random_access_time taxi lance \(hot\)$/m)
  },
)
