/** The response of a route, together with the facts that the request log records about it. */

export type Facts = {
  readonly bytes?: number
  /** SHA of the commit whose records were applied. */
  readonly commit?: string
  readonly records?: number
  readonly inserted?: number
  readonly updated?: number
}

export type Answer = {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
  readonly facts?: Facts
  /** Why the request failed. Logged and never sent. */
  readonly cause?: Error
}

const RETRY_SOON = { 'retry-after': '1' }
export const SHUTTING_DOWN = {
  status: 503,
  body: { error: 'shutting_down' },
  headers: RETRY_SOON,
} as const satisfies Answer
/** The answer when the server holds as many bytes or requests as it may. */
export const BUSY = { status: 503, body: { error: 'busy' }, headers: RETRY_SOON } as const satisfies Answer
