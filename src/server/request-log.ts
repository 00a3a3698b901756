/** Writes one line of JSON per request: method, route, status and facts, but no content of the request. */

import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { messageOf } from '../errors.js'
import { redact } from '../redact.js'
import { oneLine } from '../visible-text.js'
import type { Facts } from './answer.js'
import type { ServeLogLine } from '../reports/operations.js'
import { monotonicMs } from '../monotonic-time.js'

export type RequestLogOptions = {
  readonly log: (entry: ServeLogLine) => void
  readonly now: () => Date
}

type Notes = {
  facts: Facts
  error: string | undefined
  reason: string | undefined
  /** Resolves when the outcome of the request is known. */
  outcome: Promise<void>
}

export class RequestLog {
  readonly #notes = new WeakMap<ServerResponse, Notes>()

  constructor(private readonly options: RequestLogOptions) {}

  /**
   * Writes the log line when the response has been sent or the client has disconnected.
   * @param route called when the line is written
   */
  begin(response: ServerResponse, method: string, route: () => string | undefined): void {
    const notes: Notes = { facts: {}, error: undefined, reason: undefined, outcome: Promise.resolve() }
    this.#notes.set(response, notes)
    const startedAt = monotonicMs()
    const write = async (): Promise<void> => {
      const answered = response.writableFinished
      if (!answered) await notes.outcome
      this.options.log({
        time: this.options.now().toISOString(),
        method,
        route: route() ?? null,
        status: answered ? response.statusCode : null,
        ms: Math.round((monotonicMs() - startedAt) * 10) / 10,
        ...notes.facts,
        ...(notes.error !== undefined && { error: notes.error }),
        ...(!answered && notes.error === undefined && { error: 'client_gone' }),
        ...(notes.reason !== undefined && { reason: notes.reason }),
      })
    }
    response.once('close', () => void write())
  }

  /** When the client disconnects, its log line is not written before `outcome` has resolved. */
  waitFor(response: ServerResponse, outcome: Promise<unknown>): void {
    const notes = this.#notes.get(response)
    if (notes !== undefined) notes.outcome = outcome.then(ignore, ignore)
  }

  note(
    response: ServerResponse,
    { facts, error }: { readonly facts?: Facts | undefined; readonly error?: unknown },
  ): void {
    const notes = this.#notes.get(response)
    if (notes === undefined) return
    if (facts !== undefined) notes.facts = facts
    if (typeof error === 'string') notes.error = error
  }

  /** Notes why a request failed. The reason appears in the log and is never sent to the client. */
  noteFailure(response: ServerResponse, cause: unknown): void {
    const notes = this.#notes.get(response)
    if (notes !== undefined) notes.reason = oneLine(redact(messageOf(cause))).slice(0, MAX_REASON)
  }
}

function ignore(): void {}

const MAX_REASON = 500

/** More entries than anybody scrolls through. */
const MAX_PUSHES = 100
const SHOWN = ['time', 'status', 'ms', 'bytes', 'commit', 'records', 'inserted', 'updated', 'error'] as const

/** The last envelopes sent to this server. Held in memory and lost when the server stops. */
export class RecentPushes {
  readonly #pushes: Partial<ServeLogLine>[] = []
  readonly #since: string

  constructor(now: () => Date) {
    this.#since = now().toISOString()
  }

  /**
   * Adds the entry when it is a push. Requests without a valid token are ignored, so that they cannot evict real pushes.
   * Requests with an empty body are ignored because `doctor` sends them to check the connection.
   */
  note(entry: ServeLogLine): void {
    const isPush = entry.route === '/api/ingest' && entry.method === 'POST'
    if (!isPush || entry.status === 401 || entry.bytes === 0) return
    const shown = SHOWN.flatMap(name => (entry[name] === undefined ? [] : [[name, entry[name]] as const]))
    this.#pushes.unshift(Object.fromEntries(shown))
    this.#pushes.length = Math.min(this.#pushes.length, MAX_PUSHES)
  }

  addRoute(app: FastifyInstance): void {
    app.get('/api/pushes', async () => ({ since: this.#since, pushes: this.#pushes }))
  }
}
