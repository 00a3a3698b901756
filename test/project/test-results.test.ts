/** The line that CI is judged by is counted from what tap wrote, and every failure is told again beside it. */

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { runTestFile } from '../../scripts/test-process.js'
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

t.test('a file fails when its process is killed or hangs, although all it said was ok', async t => {
  const ends = (code: string): Promise<unknown> =>
    inFile(t, `import t from 'tap'\nt.ok(1)\n${code}`, file => runTestFile(file, { timeoutSeconds: 60, graceMs: 0 }))
  const said = /^ {4}ok 1 |^ok 1 /m
  t.match(await ends(''), { ok: true, end: 0, output: said })
  t.match(await ends(`process.exitCode = 3`), { ok: false, end: 3, output: said })
  t.match(await ends(`t.test(() => process.kill(process.pid, 'SIGKILL'))`), { ok: false, end: 'SIGKILL' })
  t.match(await ends(`t.setTimeout(1); t.test(() => { for (;;); })`), { ok: false, end: 'SIGKILL' })
})

t.test('nothing at all counts as nothing', async t => {
  t.strictSame(readResults(''), { passed: 0, failed: 0, skipped: 0, failures: [] })
})

/** The TAP output of a suite that Node runs alone, because a second tap runner would delete the results of the first. */
async function tapOf(t: Test, suite: string): Promise<string> {
  return inFile(t, suite, async file => {
    const run = promisify(execFile)(process.execPath, [file], { env: withoutTap() })
    return (await run.catch((failure: { stdout: string }) => failure)).stdout
  })
}

async function inFile<T>(t: Test, suite: string, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp('.tap/results-')
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'a.test.mjs'), suite)
  return use(join(folder, 'a.test.mjs'))
}

/** A tap within a tap believes it is a subtest of it, unless it is not told. */
function withoutTap(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TAP')))
}
