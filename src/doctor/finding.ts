/** Findings, checks and groups of checks. A finding states one fact. A warning or a failure may add a hint. */

import { IngestError, messageOf, type ErrorCode } from '../errors.js'

export type Finding =
  | { readonly status: 'ok'; readonly fact: string }
  | { readonly status: 'warn'; readonly fact: string; readonly hint: string | undefined }
  | { readonly status: 'fail'; readonly fact: string; readonly hint: string | undefined; readonly code: ErrorCode }

export type Check = {
  /** One word, which the report shows before each finding. */
  readonly name: string
  /** Timeout in milliseconds. Default: 10 seconds. */
  readonly timeoutMs?: number
  /**
   * Performs the check, which must not write anything. A thrown error becomes a finding.
   * @param signal aborts the check
   */
  readonly run: (signal: AbortSignal) => Promise<readonly Finding[]>
}

/** Related checks: those of a target or of the program itself. They run one after the other. */
export type CheckGroup = {
  /** `program`, `configuration` or a target kind. */
  readonly name: string
  /** Human-readable description of the target, without secrets; undefined when there is none or it cannot be parsed. */
  readonly target: string | undefined
  readonly checks: readonly Check[]
  /** Releases the resources that the checks have opened. */
  readonly close?: () => Promise<void>
}

export const ok = (fact: string): Finding => ({ status: 'ok', fact })

export const warn = (fact: string, hint?: string): Finding => ({ status: 'warn', fact, hint })

export const fail = (code: ErrorCode, fact: string, hint?: string): Finding => ({ status: 'fail', code, fact, hint })

/** Converts a thrown error to a failed finding. */
export function toFinding(error: unknown): Finding {
  if (error instanceof IngestError) return fail(error.code, error.message, error.hint)
  return fail('internal', messageOf(error), 'this is a defect of vortex-ingest: please report it')
}

/** A check with predetermined findings. */
export const known = (name: string, ...findings: readonly Finding[]): Check => ({ name, run: async () => findings })

/** A group for a target that cannot be checked, because its configuration is invalid. */
export const broken = (name: string, check: string, error: unknown): CheckGroup => ({
  name,
  target: undefined,
  checks: [known(check, toFinding(error))],
})

/**
 * The same check with failures reduced to warnings.
 * @param why the hint of those warnings
 */
export const tolerated = ({ run, ...check }: Check, why: string): Check => ({
  ...check,
  run: async signal => {
    const findings = await run(signal).catch((error: unknown) => [toFinding(error)])
    signal.throwIfAborted()
    return findings.map(finding => (finding.status === 'fail' ? warn(finding.fact, why) : finding))
  },
})
