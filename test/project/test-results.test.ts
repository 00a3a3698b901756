/** The line that CI is judged by is counted from what tap wrote, and every failure is told again beside it. */

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { describeFailure, readResults } from '../../scripts/test-results.js'

const SUITE = `import t from 'tap'
t.test('outer', async t => {
  t.ok(true)
  await t.test('inner', async t => { t.equal(1, 2, 'one is two') })
})
t.test('throws', async () => { throw new Error('boom') })
t.test('left out', { skip: 'no zsh' }, async () => {})
`

t.test('passes, failures and what was left out are counted once, each failure with its place', async t => {
  const results = readResults(await tapOf(t, SUITE))
  t.match(results, { passed: 1, failed: 2, skipped: 1 })
  t.strictSame(
    results.failures.map(failure => [...failure.path, failure.name].join(' > ')),
    ['outer > inner > one is two', 'throws > boom'],
  )
  const told = results.failures.map(describeFailure)
  t.match(told[0], /^- outer > inner > one is two[^]*lineNumber: 4[^]*-2\s+\+1/)
})

t.test('a file that ends badly although all it said was ok is a failure', async t => {
  const results = readResults(
    `# Subtest: a.test.ts\n    ok 1 - x\n    1..1\nnot ok 1 - a.test.ts\n  ---\n  exitCode: 3\n  ...\n1..1\n`,
  )
  t.match(results, { passed: 1, failed: 1 })
  t.equal(results.failures.map(describeFailure).join(), '- a.test.ts\n    exitCode: 3')
})

t.test('nothing at all counts as nothing', async t => {
  t.strictSame(readResults(''), { passed: 0, failed: 0, skipped: 0, failures: [] })
})

/** The TAP output of a suite that Node runs alone, because a second tap runner would delete the results of the first. */
async function tapOf(t: Test, suite: string): Promise<string> {
  const folder = await mkdtemp('.tap/results-')
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'a.test.mjs'), suite)
  const run = promisify(execFile)(process.execPath, [join(folder, 'a.test.mjs')], { env: withoutTap() })
  return (await run.catch((failure: { stdout: string }) => failure)).stdout
}

/** A tap within a tap believes it is a subtest of it, unless it is not told. */
function withoutTap(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TAP')))
}
