/** Finds triggers, rules and row-level security on the contract's tables, and views that replace these tables. Only reads. */

import { IngestError, messageOf, sqlStateOf } from '../errors.js'
import type { SqlSession } from './session.js'

/** A trigger, a rule or row-level security of a table, or a relation that is not a plain table. */
export type Intervention = {
  readonly table: string
  readonly code: 'not_a_table' | 'trigger' | 'rule' | 'row_security'
  /** The name of the trigger or rule, or the kind of relation. */
  readonly name: string
  /** When a trigger runs. */
  readonly timing: 'before' | 'after' | 'deferred' | null
}

/** Enabled triggers of users, enabled rules for INSERT and UPDATE, row-level security, and relations that are not plain tables. */
const INTERVENTIONS = `
  WITH relation AS (
    SELECT oid, relname::text AS table, relkind, relrowsecurity FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
  )
  SELECT "table", 'trigger' AS code, tgname::text AS name, CASE
      WHEN tgdeferrable THEN 'deferred'
      WHEN tgtype & 1 <> 0 AND tgtype & 66 <> 0 AND tgtype & 20 <> 0 THEN 'before'
      ELSE 'after'
    END AS timing
    FROM relation JOIN pg_trigger ON tgrelid = relation.oid WHERE NOT tgisinternal AND tgenabled <> 'D'
  UNION ALL
  SELECT "table", 'rule', rulename::text, NULL FROM relation JOIN pg_rewrite ON ev_class = relation.oid
    WHERE ev_type IN ('2', '3') AND ev_enabled <> 'D'
  UNION ALL
  SELECT "table", 'row_security', '', NULL FROM relation WHERE relrowsecurity
  UNION ALL
  SELECT "table", 'not_a_table', CASE relkind WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table'
    WHEN 'm' THEN 'materialized view' ELSE 'view' END, NULL FROM relation WHERE relkind <> 'r'
  ORDER BY 1, 2, 3`

export function readInterventions(session: SqlSession): Promise<readonly Intervention[]> {
  return session.query<Intervention>(INTERVENTIONS)
}

type Obstacle = Intervention & { readonly code: Exclude<Intervention['code'], 'trigger'> }

/** A trigger does not explain a refusal: it raises an error itself, or its effects are found by comparing rows. */
function isObstacle(intervention: Intervention): intervention is Obstacle {
  return intervention.code !== 'trigger'
}

/** Classes of SQLSTATEs with which Postgres refuses to write to a view, a partitioned table or a table with rules. */
const REFUSAL = /^(0A|42|44|55)/

/**
 * Explains an error of a push by what prevents it from writing to a table. Asks the database, so the failed transaction must be
 * rolled back.
 * @param tables the tables that the push writes to
 * @returns an IngestError `target_refused` that names the table and the reason; the given error if nothing there explains it
 */
export async function explainRefusal(session: SqlSession, error: unknown, tables: readonly string[]): Promise<unknown> {
  if (!REFUSAL.test(sqlStateOf(error) ?? '')) return error
  // The first error is reported if this query fails.
  const found = await readInterventions(session).catch((): readonly Intervention[] => [])
  const obstacles = found.filter(isObstacle).filter(({ table }) => tables.includes(table))
  const obstacle = isPolicyViolation(error)
    ? obstacles.find(({ code, table }) => code === 'row_security' && messageOf(error).includes(`"${table}"`))
    : obstacles.find(({ code }) => code !== 'row_security')
  return obstacle === undefined ? error : obstacleError(obstacle, error)
}

/** Tells a policy from a missing right, which has the same SQLSTATE, by the function of Postgres that failed. */
function isPolicyViolation(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return (error as { routine?: unknown }).routine === 'ExecWithCheckOptions' || isPolicyViolation(error.cause)
}

/** The hint for a relation that takes the place of a table. */
export const NOT_A_TABLE_HINT = 'name a database with the tables of the contract, or replace it by a plain table'

function obstacleError({ table, code, name }: Obstacle, cause: unknown): IngestError {
  const reasons = {
    not_a_table: [`it is a ${name}`, NOT_A_TABLE_HINT],
    rule: [`it has the rule ${name}`, `drop the rule: DROP RULE "${name}" ON public.${table}`],
    row_security: [
      'its row-level security refuses or hides rows',
      `let a policy allow all rows to the role, or ALTER TABLE public.${table} DISABLE ROW LEVEL SECURITY`,
    ],
  } as const
  const [reason, hint] = reasons[code]
  return new IngestError('target_refused', `public.${table} cannot be written to: ${reason}`, { cause, hint })
}
