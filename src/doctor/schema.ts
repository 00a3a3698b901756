/** Whether the tables are those of the contract: what `migrate --check` finds, sorted by what a push would meet. */

import { findDrift, type Drift } from '../sink/drift.js'
import type { SqlSession } from '../sink/sql.js'
import { fail, ok, warn, type Finding } from './finding.js'

const SHOWN = 8

/** A push lands all the same: slower, or beside something that is not this program's. */
const HARMLESS: readonly Drift['code'][] = ['unknown_migration', 'changed_migration', 'missing_index']

export async function schemaFindings(session: SqlSession): Promise<readonly Finding[]> {
  const drift = await findDrift(session)
  if (drift.length === 0) return [ok('every migration, table and index of the contract is there')]
  // What stops a push first.
  const sorted = [...drift].sort((one, other) => Number(isHarmless(one)) - Number(isHarmless(other)))
  const rest = sorted.slice(SHOWN)
  return [...sorted.slice(0, SHOWN).map(finding), ...(rest.length > 0 ? [summary(rest)] : [])]
}

function finding(drift: Drift): Finding {
  const fact = `${drift.object}: ${drift.message} (${drift.code})`
  return isHarmless(drift) ? warn(fact, HINT) : fail('target_misconfigured', fact, HINT)
}

const HINT = 'vortex-ingest migrate, as the owner, applies what is missing; `migrate --check` compares'

function summary(rest: readonly Drift[]): Finding {
  const fact = `${rest.length} further differences`
  const hint = '`vortex-ingest migrate --check` shows all'
  return rest.every(isHarmless) ? warn(fact, hint) : fail('target_misconfigured', fact, hint)
}

function isHarmless({ code }: Drift): boolean {
  return HARMLESS.includes(code)
}
