/** Reads the texts of a database, each different text of a column once. */

import { COMMIT_FIELDS, type Commit } from '../../contract/commit.js'
import type { Kind } from '../../contract/kinds.js'
import { storedKind } from '../contract-version.js'
import type { SqlSession } from '../session.js'

export type StoredText = {
  readonly text: string
  /** The lowest id of the rows that have the text. */
  readonly id: string
  /** Number of rows that have the text. */
  readonly rows: number
}

const TEXTS_PER_PAGE = 10_000
const COMMITS_PER_PAGE = 1_000

/** The text columns of a kind in this database, without the commit. */
export async function textColumns(session: SqlSession, newest: Kind): Promise<readonly string[]> {
  const { fields } = await storedKind(session, newest)
  return fields.flatMap(({ name, type }) => (type === 'str' && name !== 'commit_sha' ? [name] : []))
}

/** Reads the different texts of a column in pages. Each page reads the whole table; one page nearly always suffices. */
export async function* readTexts(
  session: SqlSession,
  { table }: Kind,
  column: string,
): AsyncGenerator<readonly StoredText[]> {
  let after = ''
  for (;;) {
    const text = `
      SELECT ${column} AS text, min(measurement_id)::text AS id, count(*)::text AS rows FROM public.${table}
      WHERE ${column} COLLATE "C" > $1::text
      GROUP BY ${column} ORDER BY ${column} COLLATE "C" LIMIT ${TEXTS_PER_PAGE}`
    const page = await session.query<{ text: string; id: string; rows: string }>(text, [after])
    if (page.length > 0) yield page.map(({ text, id, rows }) => ({ text, id, rows: Number(rows) }))
    if (page.length < TEXTS_PER_PAGE) return
    after = page.at(-1)!.text
  }
}

const TEXT_FIELDS = COMMIT_FIELDS.filter(field => field !== 'sha' && field !== 'timestamp')

/** The texts of a commit; null where the database has none. */
export type CommitTexts = {
  readonly sha: string
  readonly texts: Readonly<Partial<Record<keyof Commit, string | null>>>
}

/** Reads all commits in pages, in the order of their ids. */
export async function* readCommitTexts(session: SqlSession): AsyncGenerator<readonly CommitTexts[]> {
  let after = ''
  for (;;) {
    const text = `
      SELECT commit_sha, ${TEXT_FIELDS.join(', ')} FROM public.commits
      WHERE commit_sha > $1::text ORDER BY commit_sha LIMIT ${COMMITS_PER_PAGE}`
    const page = await session.query<Record<string, string>>(text, [after])
    if (page.length > 0) yield page.map(({ commit_sha: sha = '', ...texts }) => ({ sha, texts }))
    if (page.length < COMMITS_PER_PAGE) return
    after = page.at(-1)!['commit_sha']!
  }
}
