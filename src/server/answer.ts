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
}
