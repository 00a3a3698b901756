/** Runs checks so that none can stop, or hold up for long, the others. */

import { exitCodeOfCode, EXIT, IngestError } from '../errors.js'
import { failure, type Check, type Finding, type Group, type GroupName } from './finding.js'

export type Line = Finding & { readonly check: string }

export type Examined = {
  readonly name: GroupName
  readonly target: string | undefined
  readonly lines: readonly Line[]
}

const TIMEOUT_MS = 10_000

/** Groups at the same time, the checks of each in order. @throws the signal's reason */
export async function examine(groups: readonly Group[], signal: AbortSignal): Promise<readonly Examined[]> {
  return Promise.all(groups.map(group => examineGroup(group, signal)))
}

async function examineGroup(group: Group, signal: AbortSignal): Promise<Examined> {
  const lines: Line[] = []
  try {
    for (const check of group.checks) {
      const findings = await findingsOf(check, signal)
      lines.push(...findings.map(finding => ({ check: check.name, ...finding, fact: shortened(finding.fact, group) })))
    }
  } finally {
    // What could not be opened well may not close well either, and nothing hangs on it.
    await group.close?.().catch(() => undefined)
  }
  return { name: group.name, target: group.target, lines }
}

/** Errors name their target, and the heading of its lines does that already. */
function shortened(fact: string, { target }: Group): string {
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
  // Where the check has ended first nobody waits for it any more.
  stopped.catch(() => undefined)
  try {
    return await Promise.race([check.run(either), stopped])
  } catch (error) {
    signal.throwIfAborted()
    return [failure(error)]
  } finally {
    clearTimeout(timer)
  }
}

function tooLate(timeoutMs: number): IngestError {
  const hint = 'look at the network on the way there, and at what it waits for'
  return new IngestError('target_unreachable', `no answer in ${timeoutMs / 1000} s`, { hint })
}

/** From what must be seen to first, to what may pass by itself. */
const PRECEDENCE = [EXIT.auth, EXIT.config, EXIT.unavailable, EXIT.internal]

/** What `doctor` ends with: the failure that comes first. */
export function exitCodeFor(groups: readonly Examined[]): number {
  const codes = new Set<number>(
    groups.flatMap(({ lines }) => lines.flatMap(line => (line.status === 'fail' ? [exitOf(line)] : []))),
  )
  return PRECEDENCE.find(code => codes.has(code)) ?? EXIT.done
}

/** Usage is configuration too: what is wrong with a push's flags is what was asked. */
function exitOf({ code }: Extract<Finding, { status: 'fail' }>): number {
  const exitCode: number = exitCodeOfCode(code)
  return PRECEDENCE.some(one => one === exitCode) ? exitCode : EXIT.config
}
