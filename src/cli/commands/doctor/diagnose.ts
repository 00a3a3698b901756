/** Runs all checks and determines the exit code. */

import type { DoctorReport } from '../../../reports/operations.js'
import type { Environment } from '../../../commit/ci.js'
import { examine, exitCodeFor, type Examined } from '../../../doctor/examine.js'
import { broken, type CheckGroup } from '../../../doctor/finding.js'
import { hideSecret, redact } from '../../../redact.js'
import type { CheckWorld, TargetKind } from '../../../targets/kind.js'
import { assertOneDatabase, reportedKinds, type TargetFlags } from '../../../targets/kinds.js'
import { collectTokens } from '../../../targets/secrets.js'
import type { GivenFlags } from '../../../targets/settings.js'
import { configurationGroup, programGroup } from './program.js'

export type Diagnosis = { readonly exitCode: DoctorReport['exit_code']; readonly groups: readonly Examined[] }

export type DiagnosisWorld = { readonly version: string; readonly now: () => Date; readonly signal: AbortSignal }

/**
 * Runs all checks. Problems become findings, because reporting them is the purpose of `doctor`.
 * @throws the signal's reason when aborted, and nothing else
 */
export async function diagnose(given: GivenFlags, { version, now, signal }: DiagnosisWorld): Promise<Diagnosis> {
  const { flags, env } = given
  const targets = await Promise.all(reportedKinds(flags, env).map(kind => targetGroup(kind, flags, { env, now })))
  const groups = [programGroup(version, env), await configurationGroup(given), ...targets]
  const examined = await examine(groups, signal)
  return { exitCode: exitCodeFor(examined), groups: await withoutSecrets(examined, flags, env) }
}

async function targetGroup(kind: TargetKind, flags: TargetFlags, world: CheckWorld): Promise<CheckGroup> {
  try {
    assertOneDatabase(kind, flags)
    return { name: kind.kind, ...(await kind.checks(flags, world)) }
  } catch (error) {
    return broken(kind.kind, 'address', error)
  }
}

/** Removes secrets from the findings, even if a server or a proxy echoes them. */
export async function withoutSecrets(
  groups: readonly Examined[],
  flags: TargetFlags,
  env: Environment,
): Promise<readonly Examined[]> {
  const tokens = await collectTokens(flags, env)
  const hide = (text: string): string => redact(tokens.reduce(hideSecret, text))
  return groups.map(({ target, lines, ...group }) => ({
    ...group,
    target: target === undefined ? undefined : hide(target),
    lines: lines.map(line => {
      const fact = hide(line.fact)
      return line.status === 'ok' || line.hint === undefined
        ? { ...line, fact }
        : { ...line, fact, hint: hide(line.hint) }
    }),
  }))
}
