/** Finds the visible commits, which an address names by the beginnings of their SHAs. */

import type { HistoryCommit } from '../../server/read/answers.js'
import type { Address } from '../address.js'
import type { Span } from '../chart/chart-options.js'

/** Index of a commit; undefined when the text is empty or no commit begins with it. */
export function findCommit(commits: readonly HistoryCommit[], start: string): number | undefined {
  const index = start === '' ? -1 : commits.findIndex(({ sha }) => sha.startsWith(start))
  return index === -1 ? undefined : index
}

/** @returns undefined when all commits are visible */
export function findSpan(
  commits: readonly HistoryCommit[],
  { from, to }: Pick<Address, 'from' | 'to'>,
): Span | undefined {
  const [first, last] = [findCommit(commits, from), findCommit(commits, to)]
  if (first === undefined && last === undefined) return undefined
  return { first: first ?? 0, last: last ?? commits.length - 1 }
}

/** The commits of another group in the time of a span. @returns undefined when there are none, or when all are visible */
export function sameTime(
  commits: readonly HistoryCommit[],
  { commits: others, span }: { readonly commits: readonly HistoryCommit[]; readonly span: Span | undefined },
): Span | undefined {
  const [from, to] = [others[span?.first ?? 0]?.timestamp, others[span?.last ?? 0]?.timestamp]
  if (span === undefined || from === undefined || to === undefined) return undefined
  const first = commits.findIndex(({ timestamp }) => timestamp >= from)
  const last = commits.findLastIndex(({ timestamp }) => timestamp <= to)
  return first === -1 || last < first ? undefined : { first, last }
}
