/** What a route answers, and what the log should say of it. */

export type Facts = {
  readonly bytes?: number
  /** Of what was applied. */
  readonly commit?: string
  readonly records?: number
  readonly inserted?: number
  readonly updated?: number
}

export type Answer = {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly facts?: Facts
}
