/** The findings of `migrate --check`. Findings that would fail a push come first. */

import { compareSchema, type Drift } from '../database/schema-drift.js'
import type { SqlSession } from '../database/session.js'
import { fail, ok, warn, type Finding } from './finding.js'

const SHOWN = 8

/** Differences that do not stop a push. */
const HARMLESS: readonly Drift['code'][] = [
  'unknown_migration',
  'changed_migration',
  'missing_index',
  'token_login',
  'inherited_token_login',
]

export async function schemaFindings(session: SqlSession): Promise<readonly Finding[]> {
  const { drift, isLedgerReadable } = await compareSchema(session)
  if (drift.length === 0) return [ok(isLedgerReadable ? COMPLETE : COMPLETE_WITHOUT_LEDGER)]
  // Differences that prevent a push come first.
  const sorted = [...drift].sort((one, other) => Number(isHarmless(one)) - Number(isHarmless(other)))
  const rest = sorted.slice(SHOWN)
  return [...sorted.slice(0, SHOWN).map(finding), ...(rest.length > 0 ? [summary(rest)] : [])]
}

const COMPLETE = 'every migration, table and index of the contract is there'
const COMPLETE_WITHOUT_LEDGER =
  'every table and index of the contract is there; this role may not read the ledger of migrations'

function finding(drift: Drift): Finding {
  const fact = `${drift.object}: ${drift.message} (${drift.code})`
  const hint = HINTS[drift.code] ?? HINT
  return isHarmless(drift) ? warn(fact, hint) : fail('target_misconfigured', fact, hint)
}

const HINTS: Readonly<Partial<Record<Drift['code'], string>>> = {
  token_login: 'REVOKE rds_iam FROM bench_read; `vortex-ingest migrate` does so for a role with CREATEROLE',
  inherited_token_login: 'revoke the role between rds_iam and bench_read: psql `\\drg bench_read` lists it',
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
