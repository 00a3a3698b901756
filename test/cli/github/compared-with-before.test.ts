/** The comparison with the previous commit in the summary of a GitHub Actions run. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runStep } from '../fixtures/github.js'
import { startServe, TOKEN } from '../fixtures/serve.js'
import { applied, startAnswering } from '../../fixtures/http-server.js'
import { startMigratedPostgres } from '../fixtures/database.js'
import { COMMIT, jsonl, query, size } from '../../fixtures/records.js'

const { createDatabase } = await startMigratedPostgres(t)
const [BEFORE, AFTER] = ['a'.repeat(40), 'b'.repeat(40)]
const RUNS = [100, 101, 102, 103, 104, 105, 106, 107]

/** Files of one commit: records whose times are so many times what they were. */
function filesOf(cwd: string, sha: string, factor: number): readonly string[] {
  const runs = RUNS.map(run => run * factor * 1000)
  const timed = (dataset: string): string =>
    query({ commit_sha: sha, dataset, value_ns: 104 * factor * 1000, all_runtimes_ns: runs })
  const commit = join(cwd, `${sha[0]}.json`)
  const timestamp = sha === BEFORE ? '2026-01-01T00:00:00Z' : '2026-01-02T00:00:00Z'
  writeFileSync(commit, JSON.stringify({ ...COMMIT, sha, timestamp }))
  writeFileSync(join(cwd, `${sha[0]}.jsonl`), jsonl([timed('tpch'), timed('tpc|ds'), size({ commit_sha: sha })]))
  return [`${sha[0]}.jsonl`, '--commit', commit]
}

t.test('the summary lists the largest changes and the slowest series', async t => {
  const cwd = t.testdir()
  const { url } = await createDatabase()
  const target = ['--postgres', url]
  const first = await runStep(['push', ...filesOf(cwd, BEFORE, 1), ...target], cwd)
  t.equal(first.code, 0, first.stderr)
  t.notMatch(first.summary, 'commit before', 'there is none')

  const push = ['push', ...filesOf(cwd, AFTER, 3), ...target]
  const { code, summary, stderr } = await runStep(push, cwd)
  t.equal(code, 0, stderr)
  t.match(summary, '#### Compared with the commit before')
  t.match(summary, /\*\*changed:\*\* 2 slower, 1 unchanged of 3 series; bbbbbbb against aaaaaaa/)
  t.match(summary, '#### Slowest series')
  t.match(summary, /\| query&#95;measurement tpc&#124;ds .* \| 312,000 ns \|/)

  t.notMatch((await runStep([...push, '--no-compare'], cwd)).summary, 'commit before')
  t.notMatch((await runStep([...push, '--dry-run'], cwd)).summary, 'commit before')
})

t.test('into the embedded database as well, and nothing is said on a terminal', async t => {
  const cwd = t.testdir()
  await runStep(['push', ...filesOf(cwd, BEFORE, 1), '--embedded'], cwd)
  const push = ['push', ...filesOf(cwd, AFTER, 0.5), '--embedded']
  const { summary, stdout } = await runStep(push, cwd)
  t.match(summary, /\*\*changed:\*\* 2 faster/)
  t.notMatch(stdout, 'faster')
})

t.test('after a push to a server the comparison is read through its read API', async t => {
  const cwd = t.testdir()
  const { url } = await startServe(['--contract', '1', '--listen', '0', '--store', join(cwd, 'store')], { cwd })
  const env = { INGEST_BEARER_TOKEN: TOKEN }
  const push = (sha: string, factor: number): ReturnType<typeof runStep> =>
    runStep(['push', ...filesOf(cwd, sha, factor), '--server', url], cwd, { env })
  const first = await push(BEFORE, 1)
  t.equal(first.code, 0, first.stderr)
  t.notMatch(first.summary, 'commit before', 'there is none')
  const { code, summary, stderr } = await push(AFTER, 3)
  t.equal(code, 0, stderr)
  t.match(summary, /\*\*changed:\*\* 2 slower/)
  t.match(summary, '#### Slowest series')
})

t.test('a server without a read API is no failure', async t => {
  const cwd = t.testdir()
  const { url } = await startAnswering(t, applied)
  const push = ['push', ...filesOf(cwd, AFTER, 1), '--server', url]
  const { code, summary, stderr } = await runStep(push, cwd, { env: { INGEST_BEARER_TOKEN: TOKEN } })
  t.equal(code, 0, stderr)
  t.notMatch(summary, /compared|commit before/)
})

t.test('where they cannot be compared, that is one line, and the push as good as it is', async t => {
  const cwd = t.testdir()
  const { url, sql } = await createDatabase()
  const push = (sha: string): ReturnType<typeof runStep> =>
    runStep(['push', ...filesOf(cwd, sha, 1), '--postgres', url], cwd)
  await push(BEFORE)
  await sql('REVOKE SELECT ON vector_search_runs FROM bench_ingest')
  const { code, summary, commands } = await push(AFTER)
  t.equal(code, 0)
  t.match(summary, /^The measurements were not compared with those before: .*vector&#95;search&#95;runs/m)
  t.strictSame(
    commands.filter(({ name }) => name === 'error'),
    [],
  )
})
