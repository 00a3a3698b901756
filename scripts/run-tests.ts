/** Runs tap, then prints all failures and one final line with the counts. Arguments are passed to tap. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { describeFailure, readResults } from './test-results.js'

const RESULTS = '.tap/results.tap'

await mkdir('.tap', { recursive: true })
await rm(RESULTS, { force: true })
const TAP = 'node_modules/.bin/tap'
const args = process.argv.slice(2)
const code = await (process.stdout.isTTY ? shown() : told())
const { passed, failed, skipped, failures } = readResults(await readFile(RESULTS, 'utf8').catch(() => ''))
if (failures.length > 0) console.log(`\nWhat failed:\n${failures.map(describeFailure).join('\n')}`)
// A run that crashed before reporting a failure counts as failed.
const failedAtLeast = code === 0 ? failed : Math.max(1, failed)
console.log(`\n${passed} passed, ${failedAtLeast} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`)
process.exitCode = failedAtLeast === 0 && passed > 0 ? 0 : 1

/** Runs tap with its progress display on a terminal and its results in the file. @returns tap's exit code */
async function shown(): Promise<number | null> {
  const tap = spawn(TAP, ['-o', RESULTS, ...args], { stdio: 'inherit' })
  const [code] = (await once(tap, 'exit')) as [number | null]
  return code
}

/** Runs tap without a terminal and copies its output to the file. With `-o`, tap would print every line twice. */
async function told(): Promise<number | null> {
  const tap = spawn(TAP, args, { stdio: ['inherit', 'pipe', 'inherit'] })
  const file = tap.stdout.pipe(createWriteStream(RESULTS))
  tap.stdout.pipe(process.stdout, { end: false })
  const [[code]] = (await Promise.all([once(tap, 'exit'), finished(file)])) as [[number | null], void]
  return code
}
