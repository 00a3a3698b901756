/** Reads stored commits, by id, by age, or by a name that a user typed. */

import { COMMIT_FIELDS } from '../../contract/commit.js'
import { IngestError } from '../../errors.js'
import { quote } from '../../contract/problem.js'
import type { SqlSession } from '../session.js'
import { utcText, type TextRow } from './rows.js'

export type CommitSummary = {
  readonly sha: string
  /** RFC 3339, UTC. */
  readonly timestamp: string
  /** First line of the commit message; empty when the commit has no message. */
  readonly subject: string
}

/** Longest texts of commits that are answered, in characters. A longer text ends with `…`. */
const LIST_LIMITS = { message: 2_000, other: 500 }
const SINGLE_LIMITS = { message: 1_000_000, other: 10_000 }

/** Reads the newest commits, or the commit with the given SHA, with every column as text. Long texts are shortened. */
export function readStoredCommits(
  session: SqlSession,
  by: { readonly newest: number } | { readonly sha: string },
): Promise<readonly TextRow[]> {
  const limits = 'sha' in by ? SINGLE_LIMITS : LIST_LIMITS
  const columns = COMMIT_FIELDS.map(field => {
    if (field === 'sha') return 'commit_sha'
    return field === 'timestamp'
      ? utcText(field)
      : shortened(field, field === 'message' ? limits.message : limits.other)
  })
  const text = `SELECT ${columns.join(', ')} FROM public.commits`
  return 'sha' in by
    ? session.query<TextRow>(`${text} WHERE commit_sha = $1::text`, [by.sha])
    : session.query<TextRow>(`${text} ${NEWEST_FIRST} LIMIT ${by.newest}`)
}

/** SQL for a text column that is shortened in the database. Comparing bytes does not read the whole text. */
function shortened(column: string, most: number): string {
  const start = `left(${column}, ${most})`
  return `${start} || CASE WHEN octet_length(${column}) > octet_length(${start}) THEN '…' ELSE '' END AS ${column}`
}

export async function hasCommit(session: SqlSession, sha: string): Promise<boolean> {
  const rows = await session.query('SELECT commit_sha FROM public.commits WHERE commit_sha = $1', [sha])
  return rows.length > 0
}

/** Resolves a git revision such as `main~3` to a full commit id; undefined when git does not know the name. */
export type LookUp = (name: string) => Promise<string | undefined>

const SELECT = `
  SELECT commit_sha AS sha, to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS timestamp,
    split_part(coalesce(message, ''), E'\\n', 1) AS subject
  FROM public.commits`
const NEWEST_FIRST = 'ORDER BY commits.timestamp DESC, commit_sha DESC'

/**
 * Finds a stored commit by id, by a prefix of at least four hexadecimal digits, or by a name that `lookUp` resolves.
 * @throws {IngestError} `commit_unknown` when no such commit is stored
 * @throws {IngestError} `usage` when a prefix matches several stored commits
 */
export async function findCommit(session: SqlSession, name: string, lookUp: LookUp): Promise<CommitSummary> {
  const prefix = name.toLowerCase()
  if (/^[0-9a-f]{4,40}$/.test(prefix)) {
    const sql = `${SELECT} WHERE left(commit_sha, ${prefix.length}) = $1 ${NEWEST_FIRST} LIMIT 3`
    const [found, ...others] = await session.query<CommitSummary>(sql, [prefix])
    if (found !== undefined && others.length === 0) return found
    if (found !== undefined) throw ambiguous(name, [found, ...others])
  }
  const sha = await lookUp(name)
  const [found] = sha === undefined ? [] : await session.query<CommitSummary>(`${SELECT} WHERE commit_sha = $1`, [sha])
  if (found !== undefined) return found
  const what = sha === undefined ? quote(name) : `${quote(name)}, which is ${sha}`
  throw new IngestError('commit_unknown', `no commit is stored for ${what}`, { hint: await newestHint(session) })
}

/**
 * The stored commit with the latest timestamp.
 * @throws {IngestError} `commit_unknown` when no commit is stored
 */
export async function newestCommit(session: SqlSession): Promise<CommitSummary> {
  const [found] = await session.query<CommitSummary>(`${SELECT} ${NEWEST_FIRST} LIMIT 1`)
  if (found !== undefined) return found
  throw new IngestError('commit_unknown', 'no commit is stored', { hint: '`vortex-ingest push …` stores some' })
}

/** A stored commit and the newest stored commit that is older; undefined when either is not stored. */
export async function commitBefore(
  session: SqlSession,
  sha: string,
): Promise<{ readonly commit: CommitSummary; readonly before: CommitSummary } | undefined> {
  const [commit] = await session.query<CommitSummary>(`${SELECT} WHERE commit_sha = $1`, [sha])
  const older = 'WHERE commits.timestamp < (SELECT c.timestamp FROM public.commits c WHERE c.commit_sha = $1)'
  const [before] = await session.query<CommitSummary>(`${SELECT} ${older} ${NEWEST_FIRST} LIMIT 1`, [sha])
  return commit === undefined || before === undefined ? undefined : { commit, before }
}

function ambiguous(name: string, commits: readonly CommitSummary[]): IngestError {
  const shas = commits.map(({ sha }) => sha).join(', ')
  return new IngestError('usage', `${name} is the start of several stored commits: ${shas}`, {
    hint: 'give more of it',
  })
}

async function newestHint(session: SqlSession): Promise<string> {
  const newest = await session.query<CommitSummary>(`${SELECT} ${NEWEST_FIRST} LIMIT 3`)
  if (newest.length === 0) return 'nothing is stored there; `vortex-ingest push …` stores some'
  const list = newest.map(({ sha, subject }) => `${sha.slice(0, 7)} ${quote(subject)}`).join(', ')
  return `the newest that are stored: ${list}`
}
