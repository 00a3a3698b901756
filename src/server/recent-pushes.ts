/** The last envelopes that this server was sent, from its request log: kept in memory, gone when it stops. */

import type { FastifyInstance } from 'fastify'
import type { LogEntry } from './request-log.js'

/** More than anybody scrolls through. */
const KEPT = 100
const SHOWN = ['time', 'status', 'ms', 'bytes', 'commit', 'records', 'inserted', 'updated', 'error'] as const

export class RecentPushes {
  readonly #pushes: LogEntry[] = []
  readonly #since: string

  constructor(now: () => Date) {
    this.#since = now().toISOString()
  }

  /**
   * Takes in what is a push. Whoever has no token pushes nothing, and must not push out those that do; an empty body is
   * `doctor`, which asks whether there would be room for one.
   */
  note(entry: LogEntry): void {
    const isPush = entry['route'] === '/api/ingest' && entry['method'] === 'POST'
    if (!isPush || entry['status'] === 401 || entry['bytes'] === 0) return
    const shown = SHOWN.flatMap(name => (entry[name] === undefined ? [] : [[name, entry[name]] as const]))
    this.#pushes.unshift(Object.fromEntries(shown))
    this.#pushes.length = Math.min(this.#pushes.length, KEPT)
  }

  addRoute(app: FastifyInstance): void {
    app.get('/api/pushes', async () => ({ since: this.#since, pushes: this.#pushes }))
  }
}
