/** What a check says: one short fact, and where it is not well, what to do. */

import { IngestError, messageOf, type ErrorCode } from '../errors.js'

export type Finding =
  | { readonly status: 'ok'; readonly fact: string }
  | { readonly status: 'warn'; readonly fact: string; readonly hint: string | undefined }
  | { readonly status: 'fail'; readonly fact: string; readonly hint: string | undefined; readonly code: ErrorCode }

export type Check = {
  /** One word, as the report prints it before the fact. */
  readonly name: string
  /** Default: 10 seconds. */
  readonly timeoutMs?: number
  /** Writes nothing. What it throws becomes its finding. @param signal gives it up */
  readonly run: (signal: AbortSignal) => Promise<readonly Finding[]>
}

/** What is looked at together: a target, or the program itself. Its checks run one after the other. */
export type Group = {
  readonly name: GroupName
  /** In words, without secrets; undefined where there is none, or where it cannot be read. */
  readonly target: string | undefined
  readonly checks: readonly Check[]
  /** Lets go of what the checks have opened. */
  readonly close?: () => Promise<void>
}

export type GroupName = 'program' | 'configuration' | 'server' | 'postgres' | 'embedded' | 'archive'

export const ok = (fact: string): Finding => ({ status: 'ok', fact })

export const warn = (fact: string, hint?: string): Finding => ({ status: 'warn', fact, hint })

export const fail = (code: ErrorCode, fact: string, hint?: string): Finding => ({ status: 'fail', code, fact, hint })

/** A failed finding of whatever was thrown. */
export function failure(error: unknown): Finding {
  if (error instanceof IngestError) return fail(error.code, error.message, error.hint)
  return fail('internal', messageOf(error), 'this is a defect of vortex-ingest: please report it')
}

/** A check whose findings are known already. */
export const known = (name: string, ...findings: readonly Finding[]): Check => ({ name, run: async () => findings })

/** Of a target that cannot even be looked for. */
export const broken = (name: GroupName, check: string, error: unknown): Group => ({
  name,
  target: undefined,
  checks: [known(check, failure(error))],
})

/** The same check where its failure does not decide. @param why not, as a hint */
export const tolerated = ({ run, ...check }: Check, why: string): Check => ({
  ...check,
  run: async signal => {
    const findings = await run(signal).catch((error: unknown) => [failure(error)])
    signal.throwIfAborted()
    return findings.map(finding => (finding.status === 'fail' ? warn(finding.fact, why) : finding))
  },
})
