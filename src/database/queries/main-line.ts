/** Finds the main line among the stored commits: the first-parent history that charts, badges and changes follow. */

import type { SqlSession } from '../session.js'

export type MainLine = {
  /** Full ids of its commits, newest first, also of commits between them that are not stored. */
  readonly shas: readonly string[]
  /** Those that are stored. */
  readonly stored: readonly string[]
  /** Whether every commit is the first parent of the one before; false where stored parents end and older commits follow by time. */
  readonly isComplete: boolean
}

/** The main line is followed among this many newest commits by time for each commit that is wanted. */
const NEWEST_PER_WANTED = 5
const MIN_WANTED = 200
/** Number of newest commits by time among which its newest commit is looked for. */
const NEWEST = 300

/** Whether the column exists and the role may read it. */
const PROBE = `
  SELECT true AS readable FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
  WHERE nspname = 'vortex_ingest' AND relname = 'commit_ancestry'
    AND has_schema_privilege(pg_namespace.oid, 'USAGE') AND has_table_privilege(pg_class.oid, 'SELECT')
    AND EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = pg_class.oid AND attname = 'is_pull_request')`

/** Parameter: how many. */
const NEWEST_COMMITS = `SELECT commit_sha AS sha, row_number() OVER (ORDER BY timestamp DESC, commit_sha DESC) AS place
  FROM public.commits ORDER BY timestamp DESC, commit_sha DESC LIMIT $1::int`

/** Reads the first parent only, where it is among the newest commits, because the list of all is long. */
const WITH_PARENTS = `
  WITH newest AS MATERIALIZED (${NEWEST_COMMITS})
  SELECT sha, coalesce(is_complete, false) AS "isComplete", coalesce(is_pull_request, false) AS "isPullRequest",
    CASE WHEN first_parents[1] IN (SELECT sha FROM newest) THEN first_parents[1]
      ELSE coalesce(array_to_string(first_parents, ' '), '') END AS parents
  FROM newest LEFT JOIN vortex_ingest.commit_ancestry ON commit_sha = sha ORDER BY place`

const BY_TIME = `SELECT sha, false AS "isComplete", false AS "isPullRequest", '' AS parents FROM (${NEWEST_COMMITS}) AS newest ORDER BY place`

type Row = {
  readonly sha: string
  /** Whether `parents` ends with the first commit of the repository. */
  readonly isComplete: boolean
  readonly isPullRequest: boolean
  /** The known first parents, separated by spaces: at least up to the nearest one that is stored. */
  readonly parents: string
}

type Commit = Omit<Row, 'parents'> & { readonly parents: readonly string[] }

/**
 * Reads the main line. It begins with the commit that is not of a pull request and whose history has the most of the newest stored
 * commits, because the newest commit by time may belong to a branch.
 * @param wanted number of commits. Fewer are found where most of the newest commits belong to branches; more may be found
 */
export async function readMainLine(session: SqlSession, wanted = 1): Promise<MainLine> {
  const [probe] = await session.query(PROBE)
  const newest = NEWEST_PER_WANTED * Math.max(MIN_WANTED, wanted)
  const rows = await session.query<Row>(probe === undefined ? BY_TIME : WITH_PARENTS, [newest])
  return followMainLine(rows.map(row => ({ ...row, parents: row.parents.split(' ').filter(sha => sha !== '') })))
}

/** @param newest commits by time, newest first */
function followMainLine(newest: readonly Commit[]): MainLine {
  const known = new Map(newest.map(commit => [commit.sha, commit]))
  const { shas, end } = followFirstParents(findHead(newest, known), known)
  if (end?.isComplete === true) return { shas, stored: shas.filter(sha => known.has(sha)), isComplete: true }
  const seen = new Set(shas)
  const older = newest
    .slice(newest.indexOf(end!) + 1)
    .filter(({ sha, isPullRequest }) => !isPullRequest && !seen.has(sha))
  const all = [...shas, ...older.map(({ sha }) => sha)]
  return { shas: all, stored: all.filter(sha => known.has(sha)), isComplete: newest.length === 0 }
}

/** The commit that is no pull request's and has the longest history among the newest commits; of several the newest. */
function findHead(newest: readonly Commit[], known: ReadonlyMap<string, Commit>): Commit | undefined {
  const lengths = new Map<string, number>()
  // Parents are older than their children, unless a clock was wrong. The history of such a child counts as short.
  for (const { sha, parents } of newest.slice(0, NEWEST).reverse()) {
    const parent = parents.find(one => known.has(one))
    lengths.set(sha, 1 + (lengths.get(parent ?? '') ?? 0))
  }
  const recent = newest.slice(0, NEWEST)
  const own = recent.filter(({ isPullRequest }) => !isPullRequest)
  const candidates = own.length > 0 ? own : recent
  const longest = Math.max(...candidates.map(({ sha }) => lengths.get(sha)!))
  return candidates.find(({ sha }) => lengths.get(sha) === longest)
}

/** Follows stored first parents to the last commit whose parents are stored. */
function followFirstParents(
  head: Commit | undefined,
  known: ReadonlyMap<string, Commit>,
): { readonly shas: readonly string[]; readonly end: Commit | undefined } {
  const shas = new Set<string>()
  let end = head
  for (let next = head; next !== undefined && !shas.has(next.sha);) {
    end = next
    shas.add(next.sha)
    const nearest = next.parents.findIndex(sha => known.has(sha))
    const between = nearest === -1 ? next.parents : next.parents.slice(0, nearest)
    for (const sha of between) shas.add(sha)
    next = known.get(next.parents[nearest] ?? '')
  }
  return { shas: [...shas], end }
}
