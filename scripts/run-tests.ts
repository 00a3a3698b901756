/** Runs tap, then says what failed and ends with one plain line that counts. Arguments go to tap. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { describeFailure, readResults } from './test-results.js'

const RESULTS = '.tap/results.tap'

await mkdir('.tap', { recursive: true })
await rm(RESULTS, { force: true })
const tap = spawn('node_modules/.bin/tap', ['-o', RESULTS, ...process.argv.slice(2)], { stdio: 'inherit' })
const [code] = (await once(tap, 'exit')) as [number | null]
const { passed, failed, skipped, failures } = readResults(await readFile(RESULTS, 'utf8').catch(() => ''))
if (failures.length > 0) console.log(`\nWhat failed:\n${failures.map(describeFailure).join('\n')}`)
// A run that died before it could report has failed as well.
const failedAtLeast = code === 0 ? failed : Math.max(1, failed)
console.log(`\n${passed} passed, ${failedAtLeast} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`)
process.exitCode = failedAtLeast === 0 && passed > 0 ? 0 : 1
