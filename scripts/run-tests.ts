/** Runs tap, then counts what it recorded and ends with one plain line. Arguments go to tap. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Parser } from 'tap-parser'

const RESULTS = '.tap/test-results'

await rm(RESULTS, { recursive: true, force: true })
const tap = spawn('node_modules/.bin/tap', process.argv.slice(2), { stdio: 'inherit' })
const [code] = (await once(tap, 'exit')) as [number | null]
const { passed, failed, skipped } = await countResults()
// A file that died before it could report has failed as well.
const failures = code === 0 ? failed : Math.max(1, failed)
console.log(`\n${passed} passed, ${failures} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`)
process.exitCode = failures === 0 && passed > 0 ? 0 : 1

type Counts = { passed: number; failed: number; skipped: number }

async function countResults(): Promise<Counts> {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const files = await readdir(RESULTS, { recursive: true }).catch(() => [])
  for (const file of files.filter(name => name.endsWith('.tap')))
    count(Parser.parse(await readFile(join(RESULTS, file), 'utf8')), counts)
  return counts
}

/** Counts assertions; the line that closes a subtest only repeats what is in it. */
function count(events: ReturnType<typeof Parser.parse>, counts: Counts): void {
  for (const event of events) {
    if (event[0] === 'child') count(event[1] as typeof events, counts)
    if (event[0] !== 'assert') continue
    const { ok, skip, closingTestPoint } = event[1] as Assertion
    if (closingTestPoint) continue
    if (skip !== undefined && skip !== false) counts.skipped++
    else if (ok) counts.passed++
    else counts.failed++
  }
}

type Assertion = { readonly ok: boolean; readonly skip?: string | boolean; readonly closingTestPoint: boolean }
