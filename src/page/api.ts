/** The requests that the page sends to the server. */

import type {
  ChangesAnswer,
  CommitEntry,
  DeliveriesAnswer,
  GroupEntry,
  HistoryAnswer,
  PushEntry,
} from '../server/read/answers.js'

class RequestError extends Error {
  constructor(readonly status: number) {
    super(REASONS[status] ?? `the server answered ${status}`)
  }
}

const REASONS: Readonly<Record<number, string>> = {
  401: 'the server refuses this token',
  403: 'the server refuses this token',
  404: 'the server does not have it',
  503: 'the server is not ready',
}

export async function fetchGroups(): Promise<readonly GroupEntry[]> {
  return (await request<{ groups: readonly GroupEntry[] }>('api/groups')).groups
}

export type HistoryQuery = {
  /** Number of commits. */
  readonly n: number
  /** Whether to ask for the quartiles of the runs. */
  readonly runs: boolean
  readonly signal: AbortSignal
}

export function fetchHistory(slug: string, { n, runs, signal }: HistoryQuery): Promise<HistoryAnswer> {
  return request(`api/history/${encodeURIComponent(slug)}?n=${n}${runs ? '&runs=quartiles' : ''}`, { signal })
}

export function fetchChanges(): Promise<ChangesAnswer> {
  return request('api/changes')
}

export function fetchDeliveries(slug: string, commit: string): Promise<DeliveriesAnswer> {
  return request(`api/deliveries?commit=${commit}&group=${encodeURIComponent(slug)}`)
}

export function readPushes(): Promise<{ readonly since: string; readonly pushes: readonly PushEntry[] }> {
  return request('api/pushes')
}

export async function readCommits(n: number): Promise<readonly CommitEntry[]> {
  return (await request<{ commits: readonly CommitEntry[] }>(`api/commits?n=${n}`)).commits
}

/** Whether the server has operator routes. Reads the OpenAPI document, because a request without token would log an error. */
export async function hasOperatorRoutes(): Promise<boolean> {
  return '/targets' in (await request<{ paths: object }>('openapi.json')).paths
}

/** Requests an operator route. */
export function readAsOperator(path: string, token: string): Promise<unknown> {
  return request(path, { headers: { authorization: `Bearer ${token}` } })
}

/** @param path relative to the page, because a proxy may serve it below a path prefix */
async function request<T>(path: string, options: RequestInit = {}): Promise<T> {
  const response = await fetch(path, options)
  if (!response.ok) throw new RequestError(response.status)
  return (await response.json()) as T
}

/** The reason of a failed request, for the reader. */
export function describeError(error: unknown): string {
  // fetch fails with a TypeError when the server is unreachable. The browsers' own messages differ and do not help.
  if (error instanceof TypeError) return 'the server does not answer'
  return error instanceof Error ? error.message : String(error)
}
