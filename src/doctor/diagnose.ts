/** Runs all checks and determines the exit code. */

import type { Told } from '../config/settings.js'
import { groupsOf, type World } from './groups.js'
import { exitCodeFor, examine, type Examined } from './run.js'
import { tokensOf, withoutTokens } from './secrets.js'
import type { DoctorReport } from '../reports/operations.js'

export type Diagnosis = { readonly exitCode: DoctorReport['exit_code']; readonly groups: readonly Examined[] }

/**
 * Runs all checks. Problems become findings.
 * @throws the signal's reason when aborted, and nothing else
 */
export async function diagnose(told: Told, world: World & { readonly signal: AbortSignal }): Promise<Diagnosis> {
  const examined = await examine(await groupsOf(told, world), world.signal)
  const tokens = await tokensOf(told)
  return { exitCode: exitCodeFor(examined), groups: examined.map(group => withoutTokens(group, tokens)) }
}
