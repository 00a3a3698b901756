/** The command `convert`: its output, its commit, pipes, and memory. */

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { projectFile, runCli, type CliOptions, type CliResult } from '../fixtures/cli.js'
import { SHA, writeCommit } from '../fixtures/records.js'

const recorded = (name: string): string => projectFile(`test/fixtures/convert/${name}`)
const GO = recorded('go-bench.txt')

function convert(args: readonly string[], options?: CliOptions): Promise<CliResult> {
  return runCli(['convert', ...args], options)
}

/** The commits of printed records. */
function commits(stdout: string): readonly string[] {
  const lines = stdout.trimEnd().split('\n')
  return [...new Set(lines.map(line => (JSON.parse(line) as { commit_sha: string }).commit_sha))]
}

t.test('records go to stdout or to a file that appears when it is complete', async t => {
  const cwd = t.testdir()
  const printed = await convert([GO, '--commit', SHA], { cwd })
  t.match(printed, { code: 0, stderr: /^warning: whole nanoseconds are coarse for "BenchmarkAdd-2"/ })
  t.equal(
    printed.stdout.split('\n')[0],
    `{"kind":"random_access_time","commit_sha":"${SHA}","dataset":"example.com/taxi","format":"BenchmarkSum-2",` +
      '"open_mode":"cached","value_ns":3366,"all_runtimes_ns":[3366,2875,3477]}',
  )
  const toFile = await convert([GO, '--commit', SHA, '--output', 'out.jsonl'], { cwd })
  t.match(toFile, { code: 0, stdout: 'converted 4 benchmarks to out.jsonl\n' })
  t.equal(readFileSync(join(cwd, 'out.jsonl'), 'utf8'), printed.stdout)
  const failed = await convert([GO, recorded('hyperfine.json'), '--commit', SHA, '--output', 'other.jsonl'], { cwd })
  t.match(failed, {
    code: 65,
    stdout: '',
    stderr: /error: .*: \/results\/3: "true" has the same dimensions as record 6/,
  })
  t.notOk(existsSync(join(cwd, 'other.jsonl')))
  writeFileSync(join(cwd, 'go.txt'), readFileSync(GO))
  const itself = await convert(['go.txt', '--commit', SHA, '--output', 'go.txt'], { cwd })
  t.match(itself, { code: 2, stderr: /^error: the records go\.txt would replace what is read/ })
})

t.test('a push at the end of a pipe delivers all records, and none when the conversion fails in between', async t => {
  const cwd = t.testdir()
  const push = ['push', '-', '--embedded', 'db', '--commit', writeCommit(cwd)]
  const failed = await convert([GO, recorded('hyperfine.json'), '--commit', SHA], { cwd })
  t.equal(failed.code, 65)
  t.match(failed.stdout.trimEnd().split('\n').at(-1), /^\{"error":"convert failed: .* which it would overwrite"\}$/)
  const refused = await runCli(push, { cwd, stdin: failed.stdout })
  t.match(refused, { code: 65, stderr: /\/kind is missing/ })
  const { stdout } = await convert(['-', '--commit', SHA], { cwd, stdin: readFileSync(GO) })
  t.match(await runCli(push, { cwd, stdin: stdout }), { code: 0, stdout: /4 records/ })
})

t.test('the commit is the named one, else the one that the tool states, else HEAD, else that of CI', async t => {
  const cwd = t.testdir({ 'go.txt': readFileSync(GO), repository: {} })
  const repository = join(cwd, 'repository')
  const git = (...args: readonly string[]): string => {
    const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.org']
    return execFileSync('git', ['-C', repository, ...identity, ...args], { encoding: 'utf8' }).trim()
  }
  git('init', '-q')
  git('commit', '-q', '--allow-empty', '-m', 'first')
  const [head, ci, stated] = [git('rev-parse', 'HEAD'), '1'.repeat(40), '2'.repeat(40)]
  const env = { GITHUB_ACTIONS: 'true', GITHUB_SHA: ci }
  const pytest = readFileSync(recorded('pytest-benchmark.json'), 'utf8').replace('unversioned', stated)
  const outside = { ...env, GIT_CEILING_DIRECTORIES: dirname(cwd) }
  t.strictSame(commits((await convert([GO], { cwd: repository, env })).stdout), [head])
  t.strictSame(commits((await convert([GO], { cwd, env: outside })).stdout), [ci])
  t.strictSame(commits((await convert([], { cwd: repository, stdin: pytest })).stdout), [stated])
  const named = await convert(['--commit', SHA], { cwd: repository, stdin: pytest })
  t.strictSame(commits(named.stdout), [SHA])
  const file = await convert([GO], { cwd: repository, env: { VORTEX_INGEST_COMMIT: writeCommit(cwd) } })
  t.strictSame(commits(file.stdout), [SHA])
  for (const [args, code, stderr] of [
    [[], 78, /error: the commit that was measured is unknown.*\nhint: name it: --commit SHA/],
    [['--commit', 'abc123'], 2, /error: --commit "abc123" is not a full commit id/],
    [['--commit', 'absent.json'], 78, /error: cannot read the commit file absent\.json: no such file/],
  ] as const)
    t.match(await convert([GO, ...args], { cwd, env: { GIT_CEILING_DIRECTORIES: dirname(cwd) } }), { code, stderr })
})

t.test('usage errors suggest what was meant, and other commands lead here', async t => {
  t.match(await convert([GO, '--from', 'hyperfin']), { code: 2, stderr: /Did you mean hyperfine\?/ })
  t.match(await convert(['absent.txt', '--commit', SHA]), { code: 66, stderr: /absent\.txt: no such file/ })
  const validated = await runCli(['validate', GO])
  t.match(validated, { code: 65, stderr: /hint: make records of it: vortex-ingest convert --from go-bench FILE > / })
})

t.test('go test output of any size is read with flat memory, and a closed pipe ends the command', async t => {
  const cwd = t.testdir()
  const path = join(cwd, 'large.txt')
  writeLargeOutput(path, 200_000)
  const output = openSync(join(cwd, 'out.jsonl'), 'w')
  const { code, stderr, peakRssMiB } = await convert([path, '--commit', SHA], {
    ...{ cwd, stdout: output, measure: true, timeoutMs: 300_000 },
  })
  closeSync(output)
  t.equal(code, 0, stderr)
  t.ok(peakRssMiB < 250, `${peakRssMiB} MiB`)
  const wc = execFileSync('wc', ['-l', join(cwd, 'out.jsonl')], { encoding: 'utf8' })
  t.match(wc, /^100000 /)
  const bin = projectFile('bin/vortex-ingest.js')
  const command = ['sh', process.execPath, bin, 'convert', path, '--commit', SHA]
  const head = spawn('sh', ['-c', `"$@" | head -1`, ...command], { env: { PATH: process.env.PATH ?? '' } })
  let [stdout, messages] = ['', '']
  head.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
  head.stderr.on('data', (text: Buffer) => (messages += text.toString()))
  await once(head, 'close')
  t.equal(stdout.split('\n').length, 2)
  t.equal(messages, '')
})

/** Two runs of each benchmark, among lines that are no results. */
function writeLargeOutput(path: string, runs: number): void {
  const file = openSync(path, 'w')
  writeSync(file, 'goos: linux\npkg: example.com/large\n')
  for (let from = 0; from < runs / 2; from += 10_000) {
    const lines = Array.from({ length: 10_000 }, (_, index) => {
      const name = `BenchmarkLarge/rows=${from + index}-2`
      return `${name} \t 100\t ${1000 + index} ns/op\n    log: ${'x'.repeat(100)}\n${name} \t 100\t ${2000 + index} ns/op\n`
    })
    writeSync(file, lines.join(''))
  }
  closeSync(file)
}
