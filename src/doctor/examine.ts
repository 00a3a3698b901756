/** Runs checks in isolation, so that none can abort the others or delay them for long. */

import { exitCodeOfCode, EXIT, IngestError } from '../errors.js'
import { type Check, type Finding, toFinding, type CheckGroup } from './finding.js'
import type { DoctorReport } from '../reports/operations.js'

export type CheckedLine = Finding & { readonly check: string }

export type Examined = {
  readonly name: string
  readonly target: string | undefined
  readonly lines: readonly CheckedLine[]
}

const TIMEOUT_MS = 10_000

/**
 * Runs the groups concurrently, and the checks of a group one after the other.
 * @throws the signal's reason
 */
export async function examine(groups: readonly CheckGroup[], signal: AbortSignal): Promise<readonly Examined[]> {
  return Promise.all(groups.map(group => examineGroup(group, signal)))
}

async function examineGroup(group: CheckGroup, signal: AbortSignal): Promise<Examined> {
  const lines: CheckedLine[] = []
  try {
    for (const check of group.checks) {
      const findings = await findingsOf(check, signal)
      lines.push(...findings.map(finding => ({ check: check.name, ...finding, fact: shortened(finding.fact, group) })))
    }
  } finally {
    // Errors on closing are ignored: after a failed check they are likely and of no consequence.
    await group.close?.().catch(() => undefined)
  }
  return { name: group.name, target: group.target, lines }
}

/** Removes the target's name from the start of a fact, because the group's heading already shows it. */
function shortened(fact: string, { target }: CheckGroup): string {
  return target !== undefined && fact.startsWith(`${target}: `) ? fact.slice(target.length + 2) : fact
}

async function findingsOf(check: Check, signal: AbortSignal): Promise<readonly Finding[]> {
  const late = new AbortController()
  const { timeoutMs = TIMEOUT_MS } = check
  const timer = setTimeout(() => late.abort(tooLate(timeoutMs)), timeoutMs)
  const either = AbortSignal.any([signal, late.signal])
  const stopped = new Promise<never>((_, reject) => {
    const stop = (): void => reject(either.reason as Error)
    if (either.aborted) stop()
    else either.addEventListener('abort', stop, { once: true })
  })
  // The promise may reject after the check has ended, which must not count as an unhandled rejection.
  stopped.catch(() => undefined)
  try {
    return await Promise.race([check.run(either), stopped])
  } catch (error) {
    signal.throwIfAborted()
    return [toFinding(error)]
  } finally {
    clearTimeout(timer)
  }
}

function tooLate(timeoutMs: number): IngestError {
  const hint = 'look at the network on the way there, and at what it waits for'
  return new IngestError('target_unreachable', `no answer in ${timeoutMs / 1000} s`, { hint })
}

/** Exit codes by precedence: problems that need action first, then those that may be temporary. */
const PRECEDENCE = [EXIT.auth, EXIT.config, EXIT.unavailable, EXIT.internal]

/** The exit code of `doctor`: that of the failure with the highest precedence. */
export function exitCodeFor(groups: readonly Examined[]): DoctorReport['exit_code'] {
  const codes = new Set<number>(
    groups.flatMap(({ lines }) => lines.flatMap(line => (line.status === 'fail' ? [exitOf(line)] : []))),
  )
  return PRECEDENCE.find(code => codes.has(code)) ?? EXIT.done
}

/**
 * The exit code of a failure. Usage errors count as configuration errors, because `doctor` examines the flags of a
 * push.
 */
function exitOf({ code }: Extract<Finding, { status: 'fail' }>): number {
  const exitCode: number = exitCodeOfCode(code)
  return PRECEDENCE.some(one => one === exitCode) ? exitCode : EXIT.config
}
