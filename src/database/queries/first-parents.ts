/** Reads the first-parent history of a commit from the parents that are stored with commits. */

import type { FirstParents } from '../../commit/ancestry.js'
import type { SqlSession } from '../session.js'

/** Whether the table exists and the role may read it. Reading it without that would end the transaction of a snapshot. */
const PROBE = `
  SELECT true AS readable FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
  WHERE nspname = 'vortex_ingest' AND relname = 'commit_ancestry'
    AND has_schema_privilege(pg_namespace.oid, 'USAGE') AND has_table_privilege(pg_class.oid, 'SELECT')`

/**
 * One row for each step: a stored commit with its first parents. The next step is the most distant of them that is stored, so
 * that few steps are needed.
 */
const STEPS = `
  WITH RECURSIVE step AS (
    SELECT commit_sha, first_parents, is_complete, 1 AS place FROM vortex_ingest.commit_ancestry WHERE commit_sha = $1::text
    UNION ALL
    SELECT next.commit_sha, next.first_parents, next.is_complete, step.place + 1 FROM step CROSS JOIN LATERAL (
      SELECT known.commit_sha, known.first_parents, known.is_complete
      FROM unnest(step.first_parents) WITH ORDINALITY AS parent (sha, distance)
      JOIN vortex_ingest.commit_ancestry AS known ON known.commit_sha = parent.sha
      ORDER BY distance DESC LIMIT 1
    ) AS next WHERE NOT step.is_complete AND step.place < $2::int
  )
  SELECT commit_sha AS sha, array_to_string(first_parents, ' ') AS parents, is_complete AS "isComplete" FROM step ORDER BY place`

type Step = { readonly sha: string; readonly parents: string; readonly isComplete: boolean }

/** Follows first parents as far as they are stored. The list begins with the commit itself, which need not be stored. */
export async function readStoredFirstParents(session: SqlSession, sha: string, limit: number): Promise<FirstParents> {
  const [probe] = await session.query(PROBE)
  const steps = probe === undefined ? [] : await session.query<Step>(STEPS, [sha, limit])
  let shas: readonly string[] = [sha]
  for (const { sha, parents } of steps) {
    const longer = [...shas.slice(0, shas.indexOf(sha) + 1), ...parents.split(' ').filter(parent => parent !== '')]
    // A commit that was pushed from a shallow clone may know less than the one before it.
    if (longer.length > shas.length) shas = longer
  }
  if (shas.length >= limit) return { shas: shas.slice(0, limit), end: 'limit' }
  return { shas, end: steps.at(-1)?.isComplete === true ? 'first' : 'unknown' }
}
