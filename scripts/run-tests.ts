/**
 * Runs test files side by side, each in a process of its own, then prints all failures and one final line with the counts.
 * Arguments are files (default: all), `--jobs` and `--timeout` (seconds that a file may take; a file can extend it itself).
 *
 * tap's own runner is not used, because it loads mocks and coverage into every process, which doubles the start of a test file.
 */

import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { glob } from 'tinyglobby'
import { runTestFile, type FileResult } from './test-process.js'
import { describeFailure, readResults } from './test-results.js'

/** Files in these folders take longest. They start first, so that no processor is idle at the end. */
const LONGEST = ['test/crash/', 'test/cli/']

const { values, positionals } = parseArgs({
  options: { jobs: { type: 'string' }, timeout: { type: 'string', default: '300' } },
  allowPositionals: true,
})
// Many tests wait for servers and locks, so there is one process more than there are processors.
const jobs = Number(values.jobs ?? availableParallelism() + 1)
const files = positionals.length > 0 ? positionals : (await glob('test/**/*.test.ts')).sort()
const first = LONGEST.flatMap(folder => files.filter(file => file.startsWith(folder)))
const waiting = [...first, ...files.filter(file => !first.includes(file))]

await mkdir('.tap', { recursive: true })
const blocks: string[] = []
print(`TAP version 14\n1..${files.length}\n`)
await Promise.all(Array.from({ length: jobs }, runWaiting))
await writeFile('.tap/results.tap', blocks.join(''))
const { passed, failed, skipped, failures } = readResults(blocks.join(''))
if (failures.length > 0) console.log(`\nWhat failed:\n${failures.map(describeFailure).join('\n')}`)
console.log(`\n${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

async function runWaiting(): Promise<void> {
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    const result = await runTestFile(file, { timeoutSeconds: Number(values.timeout) })
    const block = blockOf(file, result)
    if (process.stdout.isTTY) console.log(lastLine(file, result))
    print(block)
  }
}

/** Keeps TAP for the file of results, and prints it unless somebody watches a terminal. */
function print(tap: string): void {
  blocks.push(tap)
  if (!process.stdout.isTTY) process.stdout.write(tap)
}

/** A file's output as a subtest of the run. */
function blockOf(file: string, result: FileResult): string {
  const lines = result.output
    .trimEnd()
    .split('\n')
    .filter(line => line !== 'TAP version 14')
  const diagnosis = result.ok ? '' : `  ---\n  ended with: ${result.end}\n  ...\n`
  return `# Subtest: ${file}\n${lines.map(line => `    ${line}\n`).join('')}${lastLine(file, result)}\n${diagnosis}\n`
}

function lastLine(file: string, { ok, seconds }: FileResult): string {
  return `${ok ? 'ok' : 'not ok'} ${files.indexOf(file) + 1} - ${file} # time=${Math.round(seconds * 1000)}ms`
}
