/** Parses the TAP output of the test runner into counts and failures. */

import { Parser } from 'tap-parser'
import { stringify } from 'yaml'

export type TestResults = {
  passed: number
  failed: number
  skipped: number
  readonly failures: Failure[]
}

/** A failure: its path (the file, then its subtests), its name, and the diagnosis of the assertion. */
export type Failure = { readonly path: readonly string[]; readonly name: string; readonly diagnosis: unknown }

/** Largest number of characters of a diagnosis to show. */
const MAX_DIAGNOSIS = 3000

type Assertion = {
  readonly ok: boolean
  readonly name: string
  readonly skip?: string | boolean
  readonly closingTestPoint: boolean
  readonly diag?: unknown
}
type Events = ReturnType<typeof Parser.parse>

/** Counts assertions. The line that closes a subtest is counted only when it fails and nothing in the subtest did. */
export function readResults(tap: string): TestResults {
  const results: TestResults = { passed: 0, failed: 0, skipped: 0, failures: [] }
  readEvents(Parser.parse(tap), [], results)
  return results
}

function readEvents(events: Events, path: readonly string[], results: TestResults): void {
  let failedBefore = results.failed
  for (const event of events) {
    if (event[0] === 'child') {
      failedBefore = results.failed
      readEvents(event[1] as Events, [...path, nameOf(event[1] as Events)], results)
    }
    if (event[0] !== 'assert') continue
    const assertion = event[1] as Assertion
    if (!assertion.closingTestPoint) readAssertion(assertion, path, results)
    else if (!assertion.ok && results.failed === failedBefore) fail(assertion, path, results)
  }
}

function readAssertion(assertion: Assertion, path: readonly string[], results: TestResults): void {
  if (assertion.skip !== undefined && assertion.skip !== false) results.skipped++
  else if (assertion.ok) results.passed++
  else fail(assertion, path, results)
}

function fail({ name, diag }: Assertion, path: readonly string[], results: TestResults): void {
  results.failed++
  results.failures.push({ path, name, diagnosis: diag })
}

/** The name of a subtest, which is in the comment on its first line. */
function nameOf(events: Events): string {
  const first = events[0]
  return first?.[0] === 'comment'
    ? String(first[1])
        .replace(/^# Subtest: /, '')
        .trim()
    : '(a subtest)'
}

/** Formats a failure in a few lines: its path, name and diagnosis. The diagnosis' source is left out, as the path shows it. */
export function describeFailure({ path, name, diagnosis }: Failure): string {
  const about = Object.entries(diagnosis ?? {}).filter(([key]) => key !== 'source')
  const told = about.length === 0 ? '' : stringify(Object.fromEntries(about)).trimEnd().slice(0, MAX_DIAGNOSIS)
  return [`- ${[...path, name].join(' > ')}`, ...told.split('\n').map(line => `    ${line}`)].join('\n').trimEnd()
}
