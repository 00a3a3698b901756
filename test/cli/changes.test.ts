import t from 'tap'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectFile, runCli, type CliResult } from '../fixtures/cli.js'
import { json, startHttpServer, type Answer } from '../fixtures/http-server.js'
import { writeLines } from '../fixtures/records.js'
import { startMigratedPostgres } from './fixtures/database.js'
import { createMeasuredRepository } from './fixtures/history.js'
import { schemaErrors } from './fixtures/schema.js'
import { startServe, stop, TOKEN } from './fixtures/serve.js'

const PLANTED = [
  { series: 7, commit: 5, factor: 1.27, message: 'Check all rows' },
  { series: 31, commit: 10, factor: 1.27, message: 'Read pages twice' },
]

type Found = {
  readonly commits: readonly { readonly commit: { readonly sha: string }; readonly changes: readonly FoundSeries[] }[]
  readonly history: { readonly source: string; readonly measured: number; readonly commits: number }
}
type FoundSeries = {
  readonly dimensions: { readonly query_idx: number }
  readonly ratio: number
  readonly unmeasured: readonly string[]
}

/** Each found change as `commit: query`. */
const foundIn = (stdout: string): readonly string[] =>
  (JSON.parse(stdout) as Found).commits.flatMap(({ commit, changes }) =>
    changes.map(({ dimensions }) => `${commit.sha}: ${dimensions.query_idx}`),
  )

t.test('two regressions of 1.27 among 60 series of 14 commits, through the real program', async t => {
  const cwd = t.testdir({})
  const measured = createMeasuredRepository(cwd, { commits: 14, series: 60, planted: PLANTED }, 4)
  const run = (...args: readonly string[]): Promise<CliResult> => runCli(args, { cwd })
  const expected = PLANTED.map(({ commit, series }) => `${measured[commit]!.sha}: ${series + 1}`).sort()
  const guilty = PLANTED.map(({ commit }) => measured[commit]!.sha.slice(0, 7))

  const serving = await startServe([], { cwd })
  for (const { lines } of measured) {
    writeLines(cwd, 'results.jsonl', lines)
    const pushed = ['push', 'results.jsonl', '--server', serving.url, '--benchmark-id', 'nightly']
    const { code, stderr } = await runCli(pushed, { cwd, env: { INGEST_BEARER_TOKEN: TOKEN } })
    if (code !== 0) throw new Error(stderr)
  }

  await t.test('while `serve` holds the database, its read API is asked', async t => {
    const { code, stdout, stderr } = await run('changes', '--server', serving.url, '--format', 'json')
    t.strictSame([code, stderr], [0, ''])
    t.strictSame([...foundIn(stdout)].sort(), expected)
  })

  const writing = { cwd, env: { INGEST_BEARER_TOKEN: TOKEN } }
  const throughServer = (url: string, ...args: readonly string[]): Promise<CliResult> =>
    runCli([...args, '--server', url], writing)

  await t.test('the server keeps accepted changes, which do not fail again', async t => {
    const accept = ['changes', 'accept', guilty[0]!, '--note', 'checks every page', '--by', 'ann']
    const [first, second] = [await throughServer(serving.url, ...accept), await throughServer(serving.url, ...accept)]
    t.match(first, { code: 0, stdout: /^recorded in http:.* was accepted by ann on .*: checks every page\n$/ })
    t.equal(second.stdout, first.stdout, 'a repetition changes nothing')
    t.match(await throughServer(serving.url, 'changes', '--fail-on', 'new'), {
      code: 5,
      stdout: /^regressed: 1 commit /,
    })
    t.match(await throughServer(serving.url, 'changes', 'accept', guilty[1]!, '--note', 'known'), { code: 0 })
    t.match(await run('changes', '--fail-on', 'new', '--server', serving.url), {
      code: 0,
      stdout: /^accepted: 2 commits /,
    })
    const notified = ['notify', '--webhook', 'http://127.0.0.1:9/hook']
    t.match(await throughServer(serving.url, ...notified), { code: 0, stdout: /^nothing posted: / })

    const listed = await run('changes', 'accepted', '--format', 'json', '--server', serving.url)
    t.strictSame(schemaErrors('changes-accepted-report', listed.stdout), [])
    t.match(JSON.parse(listed.stdout), { accepted: [{ note: 'known' }, { by: 'ann', withdrawn: null }] })
    for (const commit of guilty)
      t.match(await throughServer(serving.url, 'changes', 'withdraw', commit), { code: 0, stdout: /^withdrawn: / })
    t.match(await throughServer(serving.url, 'changes', '--fail-on', 'new'), {
      code: 5,
      stdout: /^regressed: 2 commits /,
    })
  })

  await t.test('writing them needs the token of the server', async t => {
    const accept = ['changes', 'accept', guilty[0]!, '--note', 'known', '--server', serving.url]
    const hint = /answered 401 \(unauthorized\)\nhint: check the token in INGEST_BEARER_TOKEN/
    t.match(await run(...accept), { code: 77, stderr: hint })
    const wrong = await runCli([...accept, '--token-env', 'OTHER'], { cwd, env: { OTHER: 'hush-wrong' } })
    t.match(wrong, { code: 77, stderr: hint })
    t.notMatch(wrong.stderr, 'hush-wrong')
    const long = ['changes', 'accept', guilty[0]!, '--note', 'known', '--by', 'x'.repeat(201)]
    t.match(await throughServer(serving.url, ...long), {
      code: 2,
      stderr: /400 \(by must be a text of 1 to 200 char/,
    })
    t.match(await throughServer(serving.url, 'changes', 'withdraw', 'abcdef'), {
      code: 78,
      stderr: /no accepted change of /,
    })
  })

  await t.test('an older server has no accepted changes, and one line says what to do', async t => {
    const answer: Answer = async (response, asked) => {
      if (asked.path.startsWith('/api/accepted-changes')) return json(404, { error: 'not_found' })(response, asked)
      const answered = await fetch(serving.url + asked.path)
      return response.writeHead(answered.status).end(await answered.text())
    }
    const old = await startHttpServer(t, { answer: () => answer })
    const found = await throughServer(old.url, 'changes', '--fail-on', 'new')
    t.match(found, {
      code: 5,
      stdout: /\nnote: http.* does not keep accepted changes, because it runs an older version: update/,
    })
    const accept = ['changes', 'accept', guilty[0]!, '--note', 'known']
    for (const command of [accept, ['changes', 'accepted'], ['changes', 'withdraw', guilty[0]!]])
      t.match(await throughServer(old.url, ...command), {
        code: 78,
        stderr:
          /^error: http.* does not keep accepted changes, .*older version\nhint: update vortex-ingest on the server.*\n$/,
      })
  })
  t.match(await stop(serving), { code: 0 })

  await t.test('in the embedded database both are named with the right commit, and nothing else', async t => {
    const { code, stdout } = await run('changes', '--format', 'json', '--fail-on', 'new')
    t.equal(code, 5)
    t.strictSame(schemaErrors('changes-report', stdout), [])
    t.strictSame([...foundIn(stdout)].sort(), expected)
    t.match(JSON.parse(stdout), {
      history: { source: 'git', is_complete: true, commits: 14, measured: 14 },
      summary: { series: 60, commits: 2, changes: 2, regressions: 2, new_regressions: 2, accepted: 0 },
    })
    for (const { changes } of (JSON.parse(stdout) as Found).commits)
      t.ok(Math.abs(changes[0]!.ratio / 1.27 - 1) < 0.03, `ratio ${changes[0]!.ratio}`)
  })

  await t.test('the text names commit, author, series, size and confidence, and is the same each time', async t => {
    const { stdout } = await run('changes')
    t.match(
      stdout,
      /^regressed: 2 commits made series slower or larger; analysed 60 series at 14 stored commits up to /,
    )
    t.match(stdout, /\n[0-9a-f]{7} 2026-02-06 Check all rows \(Zoë\)\n {2}slower {2}1\.2\d\d {2}> 99\.99 % {2}.* q8 /)
    t.equal((await run('changes')).stdout, stdout)
    const markdown = await run('changes', '--format', 'markdown')
    t.match(markdown.stdout, /\n#### [0-9a-f]{7} 2026-02-06 Check all rows .*\n\n\| verdict \| ratio \|/)
  })

  await t.test('README and docs show a record, a comparison and the changes of this repository', async t => {
    const [readme, docs] = ['README.md', 'docs/changes.md'].map(name => readFileSync(projectFile(name), 'utf8'))
    const [, record = ''] = /^```text\n(\{.*\})\n```$/m.exec(readme!)!
    t.ok(measured.some(({ lines }) => lines.includes(record)))
    const shown = [
      ...readme!.matchAll(/^npx vortex-ingest ((?:compare|changes) [^#\n]*).*\n```\n\n```text\n([^`]+)```$/gm),
    ]
    t.strictSame(
      shown.map(([, command = '']) => command.trim()),
      ['compare main~4 main~3', 'changes --fail-on new'],
    )
    for (const [, command = '', output = ''] of shown) t.match((await run(...command.trim().split(' '))).stdout, output)
    t.match((await run('changes')).stdout, /```text\n([^`]+)```/.exec(docs!)![1]!)
  })

  await t.test('--since, --head and --group choose what is listed', async t => {
    t.strictSame(foundIn((await run('changes', '--since', 'HEAD~6', '--format', 'json')).stdout), [
      expected.find(one => one.endsWith(' 32')),
    ])
    t.strictSame(foundIn((await run('changes', '--head', 'HEAD~6', '--format', 'json')).stdout), [
      expected.find(one => one.endsWith(' 8')),
    ])
    t.strictSame(
      [...foundIn((await run('changes', '--group', 'tpch 1 nv*', '--format', 'json')).stdout)].sort(),
      expected,
    )
    t.match(await run('changes', '--group', 'tpch 10'), {
      code: 78,
      stderr: /the embedded database in .* has no group "tpch 10"/,
    })
    t.match(await run('changes', '--since', 'nothing'), { code: 78, stderr: /no commit is stored for "nothing"/ })
  })

  await t.test('accepted changes are listed as accepted and do not fail again until they are withdrawn', async t => {
    const accept = await run('changes', 'accept', guilty[0]!, '--note', 'checks every page', '--by', 'ann')
    t.match(accept, { code: 0, stdout: /^recorded in .*: [0-9a-f]{7} was accepted by ann on .*: checks every page\n$/ })
    t.match(await run('changes', 'accept', guilty[1]!, '--note', ' '), {
      code: 2,
      stderr: /^error: a note must have 1 to 2000/,
    })
    t.match(await run('changes', '--fail-on', 'new'), { code: 5, stdout: /^regressed: 1 commit / })
    const other = ['changes', 'accept', guilty[1]!, '--series', 'tpch * q9*', '--note', 'other series']
    t.match(await run(...other), { code: 0 })
    t.match(await run('changes', '--fail-on', 'new'), { code: 5 }, 'the pattern does not match the series')
    t.match(await run('changes', 'accept', guilty[1]!, '--series', 'q32', '--note', 'known'), { code: 0 })
    const after = await run('changes', '--fail-on', 'new')
    t.match(after, { code: 0, stdout: /^accepted: 2 commits / })
    t.match(after.stdout, /\n {2}slower, accepted .*\n {2}[0-9a-f]{7} was accepted by ann on .*: checks every page\n/)

    const listed = await run('changes', 'accepted', '--format', 'json')
    t.strictSame(schemaErrors('changes-accepted-report', listed.stdout), [])
    t.match(JSON.parse(listed.stdout), { accepted: [{ series: ['q32'] }, { note: 'other series' }, { by: 'ann' }] })
    t.match(await run('changes', 'withdraw', guilty[0]!), { code: 0, stdout: /^withdrawn: / })
    t.match(await run('changes', '--fail-on', 'new'), { code: 5, stdout: /^regressed: 1 commit / })
    t.match(await run('changes', 'withdraw', guilty[0]!), { code: 78, stderr: /no accepted change of / })
  })

  await t.test('accepted changes are kept beside a state where --state is given', async t => {
    const state = ['--state', join(cwd, 'state')]
    for (const commit of guilty)
      t.match(await run('changes', 'accept', commit, '--note', 'known', ...state), { code: 0 })
    t.match(await run('changes', '--fail-on', 'new', ...state), { code: 0, stdout: /^accepted: 2 commits / })
    t.match(await run('changes', 'withdraw', guilty[0]!, ...state), { code: 0 })
    t.match(await run('changes', '--fail-on', 'new', ...state), { code: 5, stdout: /^regressed: 1 commit / })
    t.match(JSON.parse((await run('changes', 'accepted', '--format', 'json', ...state)).stdout), {
      accepted: [{ withdrawn: null }, { withdrawn: { by: /@/ } }],
    })
  })

  await t.test('without the repository the history is that of the database, and the output says so', async t => {
    const elsewhere = t.testdir({})
    const { code, stdout } = await runCli(['changes', '--embedded', join(cwd, '.vortex-ingest')], { cwd: elsewhere })
    t.equal(code, 0)
    t.match(stdout, /^regressed: 1 commit .*\n[0-9a-f]{7} 2026-02-06 .*\n.*\n[0-9a-f]{7} 2026-02-11 /)
    t.match(stdout, /\nnote: history: 14 of 14 commits are stored, ordered by (?:the stored parents|time)\n/)
  })
})

t.test('commits that were not measured are named as possible causes, in Postgres', async t => {
  const { createDatabase } = await startMigratedPostgres(t)
  const { url, sql } = await createDatabase()
  const cwd = t.testdir({})
  const planted = [{ series: 2, commit: 9, factor: 1.27 }]
  const measured = createMeasuredRepository(cwd, { commits: 16, series: 12, planted }, 5)
  const skipped = [8, 9, 10]
  for (const [index, { lines }] of measured.entries()) {
    if (skipped.includes(index)) continue
    writeLines(cwd, 'results.jsonl', lines)
    const { code, stderr } = await runCli(['push', 'results.jsonl', '--postgres', url], { cwd })
    if (code !== 0) throw new Error(stderr)
  }
  const { stdout } = await runCli(['changes', '--postgres', url, '--format', 'json'], { cwd })
  t.strictSame(foundIn(stdout), [`${measured[11]!.sha}: 3`])
  const { commits, history } = JSON.parse(stdout) as Found
  t.strictSame(
    commits[0]!.changes[0]!.unmeasured,
    [10, 9, 8].map(index => measured[index]!.sha),
  )
  t.match(history, { commits: 16, measured: 13 })
  t.match(
    (await runCli(['changes', '--postgres', url], { cwd })).stdout,
    /\n {2}3 commits before .* were not measured /,
  )

  await t.test('a change that is accepted under the name of such a commit counts as accepted', async t => {
    const accept = ['changes', 'accept', measured[11]!.sha, '--note', 'known', '--postgres', url]
    t.match(await runCli(accept, { cwd }), { code: 0 })
    t.match(await runCli(['changes', '--postgres', url, '--fail-on', 'new'], { cwd }), { code: 0 })
    await sql(`UPDATE vortex_ingest.accepted_changes SET commit_sha = '${measured[9]!.sha}'`)
    t.match(await runCli(['changes', '--postgres', url, '--fail-on', 'new'], { cwd }), { code: 0 })
  })

  await t.test('a database without the table tells what to do, and can still be read', async t => {
    await sql('DROP TABLE vortex_ingest.accepted_changes')
    t.match(await runCli(['changes', '--postgres', url, '--fail-on', 'new'], { cwd }), { code: 5 })
    const accept = ['changes', 'accept', measured[11]!.sha, '--note', 'known', '--postgres', url]
    t.match(await runCli(accept, { cwd }), {
      code: 78,
      stderr: /no table for them\nhint: create it with `vortex-ingest migrate --ordering`/,
    })
  })

  await t.test('a merged branch is not part of the history', async t => {
    const git = (...args: readonly string[]): string =>
      execFileSync('git', ['-C', cwd, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args])
        .toString()
        .trim()
    git('checkout', '--quiet', '-b', 'branch', 'HEAD~2')
    git('commit', '--quiet', '--allow-empty', '-m', 'on a branch')
    git('checkout', '--quiet', 'main')
    git('merge', '--quiet', '--no-ff', '-m', 'merge', 'branch')
    const report = await runCli(['changes', '--postgres', url, '--format', 'json'], { cwd })
    t.match((JSON.parse(report.stdout) as Found).history, { commits: 17, measured: 13 })
  })
})
