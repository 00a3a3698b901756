/** The requests that the page sends to the server. */

import type { HistoryAnswer } from '../server/read/history-answer.js'

export type Suite = {
  readonly slug: string
  readonly kind: string
  readonly dataset: string
  readonly dataset_variant?: string | null
  readonly scale_factor?: string | null
  readonly storage?: string | null
  readonly layout?: string | null
  readonly series: number
}

export type Push = {
  readonly time: string
  /** Null when the client disconnected before the answer was sent. */
  readonly status: number | null
  readonly ms: number
  readonly bytes?: number
  readonly commit?: string
  readonly records?: number
  readonly inserted?: number
  readonly updated?: number
  readonly error?: string
}

export type StoredCommit = {
  readonly commit_sha: string
  readonly timestamp: string
  readonly message: string | null
  readonly author_name: string | null
  readonly url: string
}

class Refused extends Error {
  constructor(readonly status: number) {
    super(REASONS[status] ?? `the server answered ${status}`)
  }
}

const REASONS: Readonly<Record<number, string>> = {
  401: 'the server does not take this token',
  403: 'the server does not take this token',
  404: 'the server has no such thing',
  503: 'the server is not ready',
}

export async function readSuites(): Promise<readonly Suite[]> {
  return (await ask<{ groups: readonly Suite[] }>('api/groups')).groups
}

export function readHistory(slug: string, n: number, signal: AbortSignal): Promise<HistoryAnswer> {
  return ask(`api/history/${encodeURIComponent(slug)}?n=${n}`, { signal })
}

export function readPushes(): Promise<{ readonly since: string; readonly pushes: readonly Push[] }> {
  return ask('api/pushes')
}

export async function readCommits(n: number): Promise<readonly StoredCommit[]> {
  return (await ask<{ commits: readonly StoredCommit[] }>(`api/commits?n=${n}`)).commits
}

/** Whether the server has operator routes. Reads the OpenAPI document, because a request without token would log an error. */
export async function hasOperators(): Promise<boolean> {
  return '/targets' in (await ask<{ paths: object }>('openapi.json')).paths
}

/** Requests an operator route. */
export function readAsOperator(path: string, token: string): Promise<unknown> {
  return ask(path, { headers: { authorization: `Bearer ${token}` } })
}

/** @param path relative to the page, because a proxy may serve it below a path prefix */
async function ask<T>(path: string, options: RequestInit = {}): Promise<T> {
  const response = await fetch(path, options)
  if (!response.ok) throw new Refused(response.status)
  return (await response.json()) as T
}
