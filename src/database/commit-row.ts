/** SQL statements for the row of a commit and its ancestors. */

import type { Ancestry, MeasuredCommit } from '../contract/ancestry.js'
import { COMMIT_FIELDS, type Commit } from '../contract/commit.js'
import { CONTRACT, type Kind } from '../contract/kinds.js'
import { utcTimestamp } from '../contract/timestamp.js'
import type { DeliveryOrder } from '../source/delivery.js'
import { IS_NEWEST, orderStatements, raise, type DatabaseFacts, type StoredOrigin } from './ordering.js'
import type { Statement } from './session.js'

/** A transaction-local setting: `true` when this transaction added the commit. */
const NEW_COMMIT = 'vortex_ingest.new_commit'
/** A subquery, so that the setting is read once and not for each row. Fails unless `upsertCommit` ran before. */
export const IS_NEW_COMMIT = `(SELECT current_setting('${NEW_COMMIT}')::boolean)`

/** A transaction-local setting: `true` when the commit was stored with a different timestamp. */
const NEW_TIMESTAMP = 'vortex_ingest.new_timestamp'

export type CommitStatements = {
  /** The commit's sha and timestamp, the first two parameters of every upsert. */
  readonly values: readonly [sha: string, timestamp: string]
  /** Runs before the upserts of a delivery. */
  readonly before: readonly Statement[]
  /** Runs after the upserts. */
  readonly after: readonly Statement[]
}

const COMMIT_COLUMNS = COMMIT_FIELDS.map(field => (field === 'sha' ? 'commit_sha' : field))

/**
 * The values of a commit's row, in the order of its columns. Its time is stored in UTC and whole microseconds. A time queued by
 * an earlier version, which accepted more formats, is passed to the database unchanged.
 */
function commitRow(commit: Commit): readonly string[] {
  const stored = { ...commit, timestamp: utcTimestamp(commit.timestamp) ?? commit.timestamp }
  return COMMIT_FIELDS.map(field => stored[field])
}

export type CommitStatementsOptions = {
  /** Undefined in a database that does not order deliveries. */
  readonly order?: DeliveryOrder | undefined
  /** Undefined in a database that does not store origins. */
  readonly origin?: StoredOrigin | undefined
  /** Whether the database has the table for the parents of commits. Default: false. */
  readonly hasAncestry?: boolean
}

/** The statements that write a commit. */
export function commitStatements(
  { ancestry, ...commit }: MeasuredCommit,
  { order, origin, hasAncestry = false }: CommitStatementsOptions = {},
): CommitStatements {
  const row = commitRow(commit)
  const [sha, timestamp] = row as [string, string]
  const upsert = { text: upsertCommit({ isOrdered: order !== undefined }), values: row }
  const timed = CONTRACT.kinds.filter(({ hasCommitTimestamp }) => hasCommitTimestamp)
  const after = timed.map(kind => ({ text: updateCommitTimestamps(kind), values: [sha] }))
  const ordering = order === undefined ? [] : orderStatements(sha, order, origin)
  const parents = ancestry === undefined || !hasAncestry ? [] : [upsertAncestry(sha, ancestry)]
  return { values: [sha, timestamp], before: [...ordering, upsert, ...parents], after }
}

/**
 * Stores the ancestors of a commit. Those from a shallow clone do not replace more that are known. A commit that was measured on a
 * branch, too, is no longer one of a pull request.
 */
function upsertAncestry(sha: string, ancestry: Ancestry): Statement {
  const { parents, firstParents, isComplete, isPullRequest = false } = ancestry
  const knowsMore =
    '(cardinality(stored.first_parents), stored.is_complete) < (cardinality(excluded.first_parents), excluded.is_complete)'
  const known = ['parents', 'first_parents', 'is_complete'].map(
    name => `${name} = CASE WHEN ${knowsMore} THEN excluded.${name} ELSE stored.${name} END`,
  )
  const text = `
    INSERT INTO vortex_ingest.commit_ancestry AS stored (commit_sha, parents, first_parents, is_complete, is_pull_request)
    VALUES ($1::text, $2::text[], $3::text[], $4::boolean, $5::boolean)
    ON CONFLICT (commit_sha) DO UPDATE
    SET ${known.join(', ')}, is_pull_request = stored.is_pull_request AND excluded.is_pull_request
    WHERE ${knowsMore} OR stored.is_pull_request AND NOT excluded.is_pull_request`
  return { text, values: [sha, parents, firstParents, isComplete, isPullRequest] }
}

/**
 * Inserts or overwrites the commit's row, unless a newer delivery of the commit was applied. Two transaction-local settings
 * record whether the commit is new and whether it was stored with another timestamp. The second is set in the update's
 * condition, which still sees the row's previous values. Parameters: the commit's fields in the order of COMMIT_FIELDS.
 */
function upsertCommit({ isOrdered }: Pick<DatabaseFacts, 'isOrdered'>): string {
  const overwritten = COMMIT_COLUMNS.slice(1).map(name => `${name} = excluded.${name}`)
  return `
    WITH written AS (
      INSERT INTO public.commits AS stored (${COMMIT_COLUMNS.join(', ')})
      VALUES (${COMMIT_COLUMNS.map((_, index) => `$${index + 1}`).join(', ')})
      ON CONFLICT (commit_sha) DO UPDATE SET ${overwritten.join(', ')}
      WHERE set_config(
        '${NEW_TIMESTAMP}', (stored.timestamp IS DISTINCT FROM excluded.timestamp)::text, true
      ) IS NOT NULL ${isOrdered ? `AND ${IS_NEWEST}` : ''}
      RETURNING (xmax = 0) AS inserted
    )
    SELECT set_config('${NEW_COMMIT}', (SELECT coalesce(bool_or(inserted), false) FROM written)::text, true),
      CASE WHEN NOT EXISTS (SELECT FROM written) AND NOT EXISTS (SELECT FROM public.commits WHERE commit_sha = $1)
      THEN ${raise(`'stored:commits:1:' || (SELECT count(*) FROM written)`)} END AS is_stored`
}

/**
 * Compares the commit's row with the sent one after all rows are written. Returns a row with `isStored`, or no row if the
 * commit is not stored. A row of a newer delivery may differ.
 */
export function compareCommit(commit: Commit, { isOrdered }: Pick<DatabaseFacts, 'isOrdered'>): Statement {
  const parameters = COMMIT_COLUMNS.map((_, index) => `$${index + 1}`)
  const mayDiffer = isOrdered ? `NOT (${IS_NEW_COMMIT} OR ${IS_NEWEST})` : 'false'
  const text = `
    SELECT (${COMMIT_COLUMNS.join(', ')}) IS NOT DISTINCT FROM (${parameters.join(', ')}) OR ${mayDiffer} AS "isStored"
    FROM public.commits WHERE commit_sha = $1`
  return { text, values: commitRow(commit) }
}

/**
 * Updates `commit_timestamp` in the commit's stored rows of one table. Runs after the rows of a delivery are written, and reads
 * no table unless the commit was stored with another timestamp than the delivery's. Parameter: the commit's sha.
 */
function updateCommitTimestamps({ table }: Kind): string {
  // A setting left over from an earlier transaction on the same connection reads as an empty string.
  return `
    UPDATE public.${table} AS stored SET commit_timestamp = commits.timestamp FROM public.commits
    WHERE (SELECT NULLIF(current_setting('${NEW_TIMESTAMP}', true), '')::boolean)
      AND commits.commit_sha = $1::text AND stored.commit_sha = commits.commit_sha
      AND stored.commit_timestamp IS DISTINCT FROM commits.timestamp`
}
