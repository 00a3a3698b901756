/** Reads stored commits, by id or by age. */

import { COMMIT_FIELDS } from '../../contract/commit.js'
import type { SqlSession } from '../session.js'
import { utcText, type TextRow } from './rows.js'

export type CommitSummary = {
  readonly sha: string
  /** RFC 3339, UTC. */
  readonly timestamp: string
  /** First line of the commit message; empty when the commit has no message. */
  readonly subject: string
}

export type StoredCommit = CommitSummary & {
  /** Name of the author; empty when unknown. */
  readonly author: string
}

/** The commits to list: the newest, those whose id starts with some digits, or those with one of some ids. */
export type CommitFilter =
  | { readonly newest: number }
  | { readonly prefix: string; readonly most: number }
  | { readonly shas: readonly string[] }

/** Longest texts of commits that are answered, in characters. A longer text ends with `…`. */
const LIST_LIMITS = { message: 2_000, other: 500 }
const SINGLE_LIMITS = { message: 1_000_000, other: 10_000 }

/** Reads commits, the newest first, with every column as text. Long texts are shortened. */
export function readStoredCommits(
  session: SqlSession,
  filter: CommitFilter | { readonly sha: string },
): Promise<readonly TextRow[]> {
  const limits = 'sha' in filter ? SINGLE_LIMITS : LIST_LIMITS
  const columns = COMMIT_FIELDS.map(field => {
    if (field === 'sha') return 'commit_sha'
    return field === 'timestamp'
      ? utcText(field)
      : shortened(field, field === 'message' ? limits.message : limits.other)
  })
  const { where, values } = listed('sha' in filter ? { shas: [filter.sha] } : filter)
  return session.query<TextRow>(`SELECT ${columns.join(', ')} FROM public.commits ${where}`, values)
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

const NEWEST_FIRST = 'ORDER BY commits.timestamp DESC, commit_sha DESC'

function listed(filter: CommitFilter): { readonly where: string; readonly values: readonly unknown[] } {
  if ('newest' in filter) return { where: `${NEWEST_FIRST} LIMIT ${filter.newest}`, values: [] }
  if ('shas' in filter) return { where: `WHERE commit_sha = ANY($1::text[]) ${NEWEST_FIRST}`, values: [filter.shas] }
  const { prefix, most } = filter
  const where = `WHERE left(commit_sha, ${prefix.length}) = $1::text ${NEWEST_FIRST} LIMIT ${most}`
  return { where, values: [prefix] }
}

/** @param row a commit as `readStoredCommits` and the read API of a server return it */
export function toStoredCommit({ commit_sha, timestamp, message, author_name }: TextRow): StoredCommit {
  const [subject = ''] = (message ?? '').split('\n', 1)
  const seconds = (timestamp ?? '').replace(/\.\d+Z$/, 'Z')
  return { sha: commit_sha ?? '', timestamp: seconds, subject, author: author_name ?? '' }
}
